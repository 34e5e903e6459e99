package normalise

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-json"
)

// Sources that are no attributes.
const (
	spanName  = "@span.name"
	scopeName = "@scope.name"
)

// reader reads a value from the sheet, and says whether it could: a place in JSON of another shape cannot be read. What
// it points to changes when the next value is read.
type reader func(*sheet) (*value, bool)

// places makes readers; JSON are the attributes that rows before have parsed, each with the number of its document.
type places struct {
	slots *slots
	json  map[string]int
}

// reader returns the reader of an attribute (key), of a place in a JSON attribute (key>inner>0), or of a name.
func (p *places) reader(source string) (reader, error) {
	switch source {
	case spanName:
		return func(s *sheet) (*value, bool) { return &s.spanName, true }, nil
	case scopeName:
		return func(s *sheet) (*value, bool) { return &s.scopeName, true }, nil
	case "":
		return nil, fmt.Errorf("a source is empty")
	}
	if number, isAttribute := p.attribute(source); isAttribute {
		return func(s *sheet) (*value, bool) { return s.get(number), true }, nil
	}
	key, inner, _ := strings.Cut(source, ">")
	document, parsed := p.json[key]
	if !parsed {
		return nil, fmt.Errorf("%q reads %s, which no row before parses", source, key)
	}
	steps := newSteps(inner)
	return func(s *sheet) (*value, bool) {
		var could bool
		s.place, could = walk(s.documents[document], steps)
		return &s.place, could
	}, nil
}

// attribute returns the slot of a source that is an attribute.
func (p *places) attribute(source string) (int, bool) {
	if source == "" || source == spanName || source == scopeName || strings.Contains(source, ">") {
		return 0, false
	}
	return p.slots.of(source), true
}

// step is a key of a JSON object, or an index into a list.
type step struct {
	key   string
	index int
	isKey bool
}

func newSteps(inner string) []step {
	var made []step
	for _, part := range strings.Split(inner, ">") {
		index, err := strconv.ParseUint(part, 10, 31)
		made = append(made, step{key: part, index: int(index), isKey: err != nil})
	}
	return made
}

// walk reads a place in parsed JSON: without a document or a key there is none, through anything else it cannot.
func walk(at any, steps []step) (value, bool) {
	if at == nil {
		return value{}, true
	}
	for _, step := range steps {
		switch inner := at.(type) {
		case map[string]any:
			found, there := inner[step.key]
			if !step.isKey || !there {
				return value{}, step.isKey
			}
			at = found
		case []any:
			if step.isKey || step.index >= len(inner) {
				return value{}, false
			}
			at = inner[step.index]
		default:
			return value{}, false
		}
	}
	return ofAny(at), true
}

// parse reads a text that is a JSON object or list; of anything else it returns nil.
func parse(v *value) any {
	if v.kind != text {
		return nil
	}
	var parsed any
	if json.Unmarshal([]byte(v.text), &parsed) != nil {
		return nil
	}
	switch parsed.(type) {
	case map[string]any, []any:
		return parsed
	}
	return nil
}
