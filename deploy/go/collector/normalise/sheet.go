package normalise

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// slots numbers the keys that anything in the configuration mentions.
type slots struct {
	byKey map[string]int
	keys  []string
}

func (s *slots) of(key string) int {
	if found, known := s.byKey[key]; known {
		return found
	}
	made := len(s.keys)
	s.byKey[key] = made
	s.keys = append(s.keys, key)
	return made
}

// slot is one attribute of the span: what it is now, and where the span has it, if it came with it.
type slot struct {
	value
	place   pcommon.Value
	came    bool
	touched bool
	changed bool
}

// sheet is a span while it is being read.
type sheet struct {
	slots     []slot
	touched   []int
	changed   []int
	scopeName value
	spanName  value
	isRoot    bool
	isFailed  bool
	documents []any
	place     value // of a document, which was read last
	invalid   []string
}

// begin fills the sheet with a span.
func (s *sheet) begin(numbers *slots, scopeName string, span ptrace.Span) {
	s.scopeName, s.spanName = ofText(scopeName), ofText(span.Name())
	s.isRoot = span.ParentSpanID().IsEmpty()
	s.isFailed = span.Status().Code() == ptrace.StatusCodeError
	for key, found := range span.Attributes().All() {
		number, known := numbers.byKey[key]
		if !known {
			continue
		}
		if at := &s.slots[number]; !at.touched { // of two attributes with one key the first counts
			at.value, at.place, at.came = read(found), found, true
			s.touch(number)
		}
	}
}

// end writes what changed into the span and empties the sheet.
func (s *sheet) end(numbers *slots, attributes pcommon.Map, invalidKey string) {
	s.overwrite(numbers, attributes)
	s.add(numbers, attributes)
	if len(s.invalid) > 0 {
		nameInvalid(attributes, invalidKey, s.invalid)
	}
	for _, number := range s.touched {
		s.slots[number] = slot{}
	}
	clear(s.documents)
	s.touched, s.changed, s.invalid = s.touched[:0], s.changed[:0], s.invalid[:0]
}

// overwrite changes and removes what came with the span; removing comes last, because it moves attributes.
func (s *sheet) overwrite(numbers *slots, attributes pcommon.Map) {
	removes := false
	for _, number := range s.changed {
		if at := &s.slots[number]; at.came && at.kind != none {
			at.writeTo(at.place)
		} else if at.came {
			removes = true
		}
	}
	if !removes {
		return
	}
	for _, number := range s.changed {
		if at := &s.slots[number]; at.came && at.kind == none {
			attributes.Remove(numbers.keys[number])
		}
	}
}

func (s *sheet) add(numbers *slots, attributes pcommon.Map) {
	more := 0
	for _, number := range s.changed {
		if at := &s.slots[number]; !at.came && at.kind != none {
			more++
		}
	}
	attributes.EnsureCapacity(attributes.Len() + more)
	for _, number := range s.changed {
		if at := &s.slots[number]; !at.came && at.kind != none {
			at.put(attributes, numbers.keys[number])
		}
	}
}

func (v *value) put(attributes pcommon.Map, key string) {
	switch v.kind {
	case text:
		attributes.PutStr(key, v.text)
	case whole:
		attributes.PutInt(key, v.whole())
	default:
		v.writeTo(attributes.PutEmpty(key))
	}
}

func (s *sheet) touch(number int) {
	s.slots[number].touched = true
	s.touched = append(s.touched, number)
}

func (s *sheet) get(number int) *value { return &s.slots[number].value }

func (s *sheet) has(number int) bool { return s.slots[number].kind != none }

// set changes an attribute; none changes nothing.
func (s *sheet) set(number int, to value) {
	if to.kind == none {
		return
	}
	if to.kind == other { // what it was copied from may be overwritten before it is written
		kept := pcommon.NewValueEmpty()
		to.raw.CopyTo(kept)
		to.raw = kept
	}
	s.change(number)
	s.slots[number].value = to
}

func (s *sheet) setText(number int, to string) {
	s.change(number)
	s.slots[number].value = ofText(to)
}

func (s *sheet) remove(number int) {
	s.change(number)
	s.slots[number].value = value{}
}

func (s *sheet) change(number int) {
	at := &s.slots[number]
	if !at.touched {
		s.touch(number)
	}
	if !at.changed {
		at.changed = true
		s.changed = append(s.changed, number)
	}
}

// nameInvalid adds to the list of values that are of a wrong type or unit; a map that a sender put there stays.
func nameInvalid(attributes pcommon.Map, key string, named []string) {
	at, _ := attributes.GetOrPutEmpty(key)
	if at.Type() == pcommon.ValueTypeMap {
		return
	}
	if at.Type() != pcommon.ValueTypeSlice {
		before := pcommon.NewValueEmpty()
		at.CopyTo(before)
		at.SetEmptySlice()
		if before.Type() != pcommon.ValueTypeEmpty {
			before.CopyTo(at.Slice().AppendEmpty())
		}
	}
	for _, one := range named {
		at.Slice().AppendEmpty().SetStr(one)
	}
}
