package privacy

import (
	"regexp"
	"strings"
)

const replacement = "[redacted]"

type rule struct {
	name        string
	regex       *regexp.Regexp
	replacement string
	hints       []hint
	minDigits   int
}

// hint is a lowercase text without which a rule cannot match, and the characters that it is made of.
type hint struct {
	text  string
	needs characters
}

// redactor replaces secrets in texts and tells hit which rule matched.
type redactor struct {
	rules []rule
	hit   func(rule string)
}

func newRedactor(cfg *Config, hit func(rule string)) *redactor {
	r := &redactor{hit: hit}
	if !cfg.Redact {
		return r
	}
	for _, p := range cfg.Patterns {
		made := rule{name: p.Name, regex: regexp.MustCompile(p.Regex), replacement: p.Replacement, minDigits: p.MinDigits}
		for _, text := range p.Hints {
			made.hints = append(made.hints, hint{strings.ToLower(text), look(text).seen})
		}
		r.rules = append(r.rules, made)
	}
	for _, line := range lines(cfg.Custom) {
		r.rules = append(r.rules, rule{name: "custom", regex: regexp.MustCompile(line), replacement: replacement})
	}
	return r
}

// text returns the text without secrets, and whether it changed.
func (r *redactor) text(s string) (string, bool) {
	if s == "" || len(r.rules) == 0 {
		return s, false
	}
	changed, searched := false, newSearch(s)
	for i := range r.rules {
		rule := &r.rules[i]
		if !rule.mayMatch(searched) || !rule.regex.MatchString(s) {
			continue
		}
		s = rule.regex.ReplaceAllString(s, rule.replacement)
		changed, searched = true, newSearch(s)
		r.hit(rule.name)
	}
	return s, changed
}

func (r *rule) mayMatch(s *search) bool {
	if s.digits < r.minDigits {
		return false
	}
	if len(r.hints) == 0 {
		return true
	}
	for i := range r.hints {
		if s.contains(&r.hints[i]) {
			return true
		}
	}
	return false
}

// characters is a set of ASCII characters, capitals folded.
type characters [2]uint64

// profile says in one pass what a text is made of, so that most hints are dismissed without a search: most attributes
// are short names, and searching each for every hint would cost more than all other work on the span.
type profile struct {
	seen   characters
	digits int
}

func look(s string) profile {
	var p profile
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case '0' <= c && c <= '9':
			p.digits++
		case c > 127:
			continue
		}
		p.seen[c>>6] |= 1 << (c & 63)
	}
	return p
}

// search is a text that is searched for hints; it is lowered only when a hint could be in it.
type search struct {
	profile
	text  string
	lower string
}

func newSearch(s string) *search { return &search{profile: look(s), text: s} }

func (s *search) contains(h *hint) bool {
	if h.needs[0]&^s.seen[0] != 0 || h.needs[1]&^s.seen[1] != 0 {
		return false
	}
	if s.lower == "" {
		s.lower = strings.ToLower(s.text)
	}
	return strings.Contains(s.lower, h.text)
}

func lines(text string) []string {
	var found []string
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	return found
}
