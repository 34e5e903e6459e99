package normalise

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// verdict is what a condition says of a span; broken is what it says when it asks for something that cannot be
// answered, such as how a number begins. A broken part breaks the condition, unless it was decided before.
type verdict uint8

const (
	no verdict = iota
	yes
	broken
)

// condition is a condition of the tables; without one (nil) all spans fit.
type condition func(*sheet) verdict

func (c condition) fits(s *sheet) bool { return c == nil || c(s) == yes }

// condition reads the language of the tables: alternatives (" or ") of terms (" & "). A term is a key (present), !key
// (absent), or a key, a comparison and values separated by |: = is one of, != is none of, ^= begins with, $= ends with,
// == equals what another key holds. @root and @failed are terms of their own.
func (p *places) condition(written string) (condition, error) {
	if written == "" {
		return nil, nil
	}
	var alternatives []condition
	for _, alternative := range strings.Split(written, " or ") {
		var terms []condition
		for _, term := range strings.Split(alternative, " & ") {
			made, err := p.term(strings.TrimLeft(term, " "))
			if err != nil {
				return nil, fmt.Errorf("condition %q: %w", written, err)
			}
			terms = append(terms, made)
		}
		alternatives = append(alternatives, until(terms, no))
	}
	return until(alternatives, yes), nil
}

// until asks in order, until one answers with the verdict that decides, or is broken.
func until(asked []condition, decides verdict) condition {
	if len(asked) == 1 {
		return asked[0]
	}
	return func(s *sheet) verdict {
		for _, one := range asked {
			if said := one(s); said == decides || said == broken {
				return said
			}
		}
		return yes - decides
	}
}

var termForm = regexp.MustCompile(`^(@?[^=!^$]+?)(==|!=|\^=|\$=|=)(.+)$`)

var words = map[string]condition{
	"@root":    func(s *sheet) verdict { return of(s.isRoot) },
	"@failed":  func(s *sheet) verdict { return of(s.isFailed) },
	"!@root":   func(s *sheet) verdict { return of(!s.isRoot) },
	"!@failed": func(s *sheet) verdict { return of(!s.isFailed) },
}

func of(b bool) verdict {
	if b {
		return yes
	}
	return no
}

func (p *places) term(written string) (condition, error) {
	if word, known := words[written]; known {
		return word, nil
	}
	if key, negated := strings.CutPrefix(written, "!"); negated {
		return p.test(key, func(v *value) verdict { return of(v.kind == none) })
	}
	found := termForm.FindStringSubmatch(written)
	if found == nil {
		return p.test(written, func(v *value) verdict { return of(v.kind != none) })
	}
	switch found[2] {
	case "=":
		return p.oneOf(found[1], found[3], yes)
	case "!=":
		return p.oneOf(found[1], found[3], no)
	case "^=":
		return p.affix(found[1], found[3], strings.HasPrefix)
	case "$=":
		return p.affix(found[1], found[3], strings.HasSuffix)
	}
	return p.same(found[1], found[3])
}

// test is a condition on one value.
func (p *places) test(source string, ask func(*value) verdict) (condition, error) {
	if number, isAttribute := p.attribute(source); isAttribute {
		return func(s *sheet) verdict { return ask(s.get(number)) }, nil
	}
	read, err := p.reader(source)
	return func(s *sheet) verdict {
		v, could := read(s)
		if !could {
			return broken
		}
		return ask(v)
	}, err
}

func (p *places) oneOf(source, values string, found verdict) (condition, error) {
	var literals []value
	for _, written := range strings.Split(values, "|") {
		literals = append(literals, literal(written))
	}
	if only := literals[0]; len(literals) == 1 && only.kind == text { // most conditions are such
		return p.test(source, func(v *value) verdict {
			if v.kind == text && v.text == only.text {
				return found
			}
			return yes - found
		})
	}
	return p.test(source, func(v *value) verdict {
		for i := range literals {
			if equal(v, &literals[i]) {
				return found
			}
		}
		return yes - found
	})
}

// literal is a number, true or false, or a text.
func literal(written string) value {
	if number, err := strconv.ParseUint(written, 10, 63); err == nil {
		return ofWhole(int64(number))
	}
	if written == "true" || written == "false" {
		return ofTruth(written == "true")
	}
	return ofText(written)
}

func (p *places) affix(source, values string, has func(string, string) bool) (condition, error) {
	affixes := strings.Split(values, "|")
	return p.test(source, func(v *value) verdict {
		if v.kind != text {
			return broken
		}
		for _, affix := range affixes {
			if has(v.text, affix) {
				return yes
			}
		}
		return no
	})
}

func (p *places) same(source, other string) (condition, error) {
	readOther, err := p.reader(other)
	if err != nil {
		return nil, err
	}
	read, err := p.reader(source)
	return func(s *sheet) verdict {
		first, could := read(s)
		if !could {
			return broken
		}
		a := *first
		b, could := readOther(s)
		if !could {
			return broken
		}
		return of(equal(&a, b))
	}, err
}
