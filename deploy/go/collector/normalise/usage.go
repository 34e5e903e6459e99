package normalise

import "strings"

// usage makes the numbers of tokens inclusive, mends known faults, names what cannot be, and says where they come from.
func (n *normaliser) usage(s *sheet, p *plan) {
	if p.isOdd {
		n.odd(s, p)
	}
	if n.isSuspicious(s) {
		n.tokens(s)
	}
	k := &n.keys
	if v := s.get(k.kind); v.kind == text && n.modelKinds[v.text] {
		n.source(s)
		n.reasons(s)
	}
	if (s.has(k.output) || s.has(k.input)) && !s.has(k.usageSource) {
		s.setText(k.usageSource, n.Sources.Aggregated)
		n.reasons(s)
	}
}

func (n *normaliser) odd(s *sheet, p *plan) {
	if p.isCacheApart {
		n.withCache(s)
	}
	for i := range n.faults {
		f := &n.faults[i]
		if p.hasFault[i] && f.when.fits(s) {
			s.setText(n.keys.usageFault, f.ID)
		}
		if f.correct >= 0 {
			n.mend(s, f)
		}
	}
}

// withCache adds what came from and went to the cache where the emitter counts it apart, once.
func (n *normaliser) withCache(s *sheet) {
	k := &n.keys
	if (s.has(k.cacheRead) || s.has(k.cacheWrite)) && !s.has(k.sentInput) {
		s.set(k.sentInput, *s.get(k.input))
	}
	if !equal(s.get(k.sentInput), s.get(k.input)) {
		return
	}
	sum, could := s.get(k.input).asWhole()
	if could {
		sum, could = plus(sum, orZero(*s.get(k.cacheRead)))
	}
	if could {
		sum, could = plus(sum, orZero(*s.get(k.cacheWrite)))
	}
	if could {
		s.set(k.input, sum)
	}
}

// mend puts the right number in place and keeps what was sent; a number that is right already keeps no mark.
func (n *normaliser) mend(s *sheet, f *fault) {
	mark := ofText(f.ID)
	if !equal(s.get(n.keys.usageFault), &mark) {
		return
	}
	right, could := minus(*s.get(f.minuend), *s.get(f.subtract))
	if could && isAtMost(&right, s.get(f.correct)) {
		s.remove(n.keys.usageFault)
		return
	}
	s.set(f.sent, *s.get(f.correct))
	if could {
		s.set(f.correct, right)
	}
}

func isAtMost(a, b *value) bool {
	if a.kind == whole && b.kind == whole {
		return a.whole() <= b.whole()
	}
	return a.isNumber() && b.isNumber() && a.fraction() <= b.fraction()
}

// isSuspicious says whether a number is of a wrong type or unit; most spans have none that is.
func (n *normaliser) isSuspicious(s *sheet) bool {
	k := &n.keys
	first := s.get(k.firstToken)
	if !s.has(k.output) && !s.has(k.input) && first.kind == none {
		return false
	}
	for _, number := range [...]int{k.input, k.output, k.cacheRead, k.cacheWrite, k.reasoning} {
		if v := s.get(number); v.kind != none && !n.isCount(v) {
			return true
		}
	}
	return first.kind != none && !n.isPossible(first)
}

// isPossible says whether a number is neither negative nor absurd.
func (n *normaliser) isPossible(v *value) bool { return v.isAtLeast(0) && v.isBelow(n.Absurd) }

func (n *normaliser) isCount(v *value) bool { return v.kind == whole && n.isPossible(v) }

// tokens names what is wrong. A whole number of another type becomes one; all else stays as it came: no column takes it.
func (n *normaliser) tokens(s *sheet) {
	k, keys := &n.keys, n.slots.keys
	for _, number := range [...]int{k.input, k.output, k.cacheRead, k.cacheWrite, k.reasoning} {
		v := *s.get(number)
		made, _ := v.asWhole()
		switch v.kind {
		case text:
			s.name(keys[number], "text")
			s.set(number, made)
		case fraction:
			if equal(&made, &v) {
				s.set(number, made)
			} else {
				s.name(keys[number], "fraction")
			}
		}
		n.ranges(s, number)
	}
	if s.get(k.firstToken).kind == text {
		s.name(keys[k.firstToken], "text")
	}
	n.ranges(s, k.firstToken)
}

func (n *normaliser) ranges(s *sheet, number int) {
	v, key := s.get(number), n.slots.keys[number]
	if v.kind == truth || v.kind == other {
		s.name(key, "no number")
	}
	if v.isBelow(0) {
		s.name(key, "negative")
	}
	if v.isAtLeast(n.Absurd) {
		s.name(key, "absurd")
	}
}

func (s *sheet) name(key, what string) { s.invalid = append(s.invalid, key+": "+what) }

// source says where a model call's tokens come from; nothing in and nothing out is what one writes that knows none.
func (n *normaliser) source(s *sheet) {
	k, zero := &n.keys, ofWhole(0)
	if in := s.get(k.input); equal(s.get(k.output), &zero) && (in.kind == none || equal(in, &zero)) {
		s.set(k.sentOutput, *s.get(k.output))
	}
	if equal(s.get(k.sentOutput), &zero) {
		s.set(k.sentInput, *s.get(k.input))
		s.remove(k.input)
		s.remove(k.output)
	}
	if !s.has(k.usageSource) {
		if n.isPossible(s.get(k.input)) || n.isPossible(s.get(k.output)) {
			s.setText(k.usageSource, n.Sources.Reported)
		} else {
			s.setText(k.usageSource, n.Sources.Missing)
		}
	}
	for _, number := range [...]int{k.requestModel, k.responseModel} {
		if v := s.get(number); v.kind != none && v.kind != text {
			s.name(n.slots.keys[number], "no text")
		}
	}
}

// reasons makes a list of the reasons why a model stopped, which come as one, as JSON, or singly.
func (n *normaliser) reasons(s *sheet) {
	v := s.get(n.keys.finishReasons)
	if v.kind != text {
		return
	}
	if strings.HasPrefix(v.text, "[") {
		if parsed := parse(v); parsed != nil {
			s.set(n.keys.finishReasons, ofAny(parsed))
			return
		}
	}
	s.set(n.keys.finishReasons, listOf(*v))
}
