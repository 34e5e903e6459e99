package normalise

import (
	"fmt"
	"regexp"
	"strings"
)

// uuidBehind is the name before a UUID that was put behind it.
var uuidBehind = regexp.MustCompile("^(.+?)[_.]?[(]?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

// conversions make what a row's `as` says of a value, and say whether they could.
var conversions = map[string]func(value) (value, bool){
	"":     func(v value) (value, bool) { return v, true },
	"bool": func(v value) (value, bool) { return v.asTruth() },
	"ms":   seconds,
	"enum": enumMember,
	"bare": bareName,
	"last": lastWord,
}

// row reads and writes the sheet.
type row func(*sheet)

// rules makes rows.
type rules struct {
	places
	config *Config
	// documents counts the JSON attributes of all dialects: what one has parsed is not another's.
	documents *int
}

// row makes a row of one of four forms: parse JSON, look a kind up, set a constant, set what is read or added up.
func (r *rules) row(written Row) (row, error) {
	when, err := r.condition(written.When)
	if err != nil {
		return nil, err
	}
	convert, known := conversions[written.As]
	switch {
	case written.JSON != "":
		return r.parses(written.JSON, when), nil
	case written.Set == "":
		return nil, fmt.Errorf("a row sets nothing")
	case written.Lookup != "":
		return r.looksUp(written)
	case !known:
		return nil, fmt.Errorf("the row for %s: %q is no conversion", written.Set, written.As)
	case strings.HasPrefix(written.From, "="):
		return r.setsConstant(written, when)
	case strings.Contains(written.From, " + "):
		return r.setsSum(written, when)
	}
	from, err := r.reader(written.From)
	if err != nil {
		return nil, fmt.Errorf("the row for %s: %w", written.Set, err)
	}
	return r.sets(r.slots.of(written.Set), from, convert, when), nil
}

func (r *rules) parses(key string, when condition) row {
	from, document := r.slots.of(key), *r.documents
	r.json[key] = document
	*r.documents++
	return func(s *sheet) {
		if !s.has(from) || !when.fits(s) {
			return
		}
		if s.documents[document] = parse(s.get(from)); s.documents[document] == nil {
			s.invalid = append(s.invalid, key+": no JSON")
		}
	}
}

func (r *rules) looksUp(written Row) (row, error) {
	kinds, known := r.config.KindsByValue[written.Lookup]
	if !known {
		return nil, fmt.Errorf("the row for %s: kinds_by_value has no %s", written.Set, written.Lookup)
	}
	to, from := r.slots.of(written.Set), r.slots.of(written.Lookup)
	return func(s *sheet) {
		if v := s.get(from); v.kind == text && !s.has(to) {
			if found, known := kinds[v.text]; known {
				s.setText(to, found)
			}
		}
	}, nil
}

func (r *rules) setsConstant(written Row, when condition) (row, error) {
	constant, could := conversions[written.As](ofText(written.From[1:]))
	if !could {
		return nil, fmt.Errorf("the row for %s: %q is no %s", written.Set, written.From, written.As)
	}
	to := r.slots.of(written.Set)
	return func(s *sheet) {
		if !s.has(to) && when.fits(s) {
			s.set(to, constant)
		}
	}, nil
}

func (r *rules) sets(to int, from reader, convert func(value) (value, bool), when condition) row {
	return func(s *sheet) {
		if s.has(to) {
			return
		}
		found, could := from(s)
		if !could || found.kind == none {
			return
		}
		v := *found
		if !when.fits(s) {
			return
		}
		if v, could = convert(v); could {
			s.set(to, v)
		}
	}
}

// setsSum adds up numbers of which the first must be there; where it is a text, that is named.
func (r *rules) setsSum(written Row, when condition) (row, error) {
	var parts []reader
	sources := strings.Split(written.From, " + ")
	for _, source := range sources {
		part, err := r.reader(source)
		if err != nil {
			return nil, fmt.Errorf("the row for %s: %w", written.Set, err)
		}
		parts = append(parts, part)
	}
	to := r.slots.of(written.Set)
	return func(s *sheet) {
		if s.has(to) || !when.fits(s) {
			return
		}
		first, could := parts[0](s)
		sum := *first
		if could && sum.kind == text {
			s.invalid = append(s.invalid, sources[0]+": text")
		}
		for i := 1; could && i < len(parts); i++ {
			var part *value
			if part, could = parts[i](s); could {
				sum, could = plus(sum, orZero(*part))
			}
		}
		if could {
			s.set(to, sum)
		}
	}, nil
}

func orZero(v value) value {
	if v.kind == none {
		return ofWhole(0)
	}
	return v
}

func seconds(v value) (value, bool) {
	made, could := v.asFraction()
	return ofFraction(made.fraction() / 1000), could && made.kind == fraction
}

// enumMember returns the member's name of a text such as Class.MEMBER.
func enumMember(v value) (value, bool) {
	parts := strings.SplitN(v.text, ".", 3)
	if v.kind != text || len(parts) < 2 {
		return v, false
	}
	return ofText(strings.ToLower(parts[1])), true
}

// bareName returns a name without the UUID behind it.
func bareName(v value) (value, bool) {
	if found := uuidBehind.FindStringSubmatch(v.text); v.kind == text && found != nil {
		return ofText(found[1]), true
	}
	return v, v.kind == text
}

// lastWord returns what stands behind the last space.
func lastWord(v value) (value, bool) {
	before := strings.LastIndexByte(v.text, ' ')
	return ofText(v.text[before+1:]), before >= 0 && before+1 < len(v.text)
}
