package normalise

import "testing"

// Numbers of a wrong type or unit are named; a whole number of another type becomes one, all else stays as it came.
func TestTokens(t *testing.T) {
	for name, one := range map[string]struct {
		came   any
		left   any
		wanted any
	}{
		"whole":               {int64(5), int64(5), nil},
		"whole in a fraction": {5.0, int64(5), nil},
		"whole in a text":     {"5", int64(5), []any{"in: text"}},
		"fraction":            {5.5, 5.5, []any{"in: fraction"}},
		"text":                {"five", "five", []any{"in: text"}},
		"list":                {[]any{int64(5)}, []any{int64(5)}, []any{"in: no number"}},
		"truth":               {true, true, []any{"in: no number"}},
		"negative":            {int64(-5), int64(-5), []any{"in: negative"}},
		"negative in a text":  {"-5", int64(-5), []any{"in: text", "in: negative"}},
		"absurd":              {int64(1000), int64(1000), []any{"in: absurd"}},
		"absurd fraction":     {1e300, 1e300, []any{"in: fraction", "in: absurd"}},
		"possible":            {int64(999), int64(999), nil},
	} {
		got := normalised(t, config(), newSpan(t, attributes{"in": one.came, "kind": "task"}))
		if wrong := differs(got, attributes{"in": one.left, "invalid": one.wanted}); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// The time to the first token is named where it cannot be, and stays.
func TestFirstToken(t *testing.T) {
	for name, one := range map[string]struct{ came, wanted any }{
		"seconds":  {0.5, nil},
		"whole":    {int64(1), nil},
		"text":     {"0.5", []any{"first: text"}},
		"negative": {-0.5, []any{"first: negative"}},
		"absurd":   {1000.0, []any{"first: absurd"}},
		"list":     {[]any{}, []any{"first: no number"}},
	} {
		got := normalised(t, config(), newSpan(t, attributes{"first": one.came}))
		if wrong := differs(got, attributes{"first": one.came, "invalid": one.wanted}); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// What is named is added to what a sender has named already.
func TestInvalidIsAList(t *testing.T) {
	for name, one := range map[string]struct{ came, wanted any }{
		"list":   {[]any{"x"}, []any{"x", "in: negative"}},
		"text":   {"x", []any{"x", "in: negative"}},
		"number": {int64(5), []any{int64(5), "in: negative"}},
		"empty":  {nil, []any{"in: negative"}},
		"map":    {attributes{"a": int64(1)}, attributes{"a": int64(1)}},
	} {
		got := normalised(t, config(), newSpan(t, attributes{"in": int64(-1), "invalid": one.came}))
		if wrong := differs(got, attributes{"invalid": one.wanted}); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// Tokens of a model call are reported or missing, on anything else a sum; nothing in and nothing out is missing.
func TestSources(t *testing.T) {
	for name, one := range map[string]struct{ came, wanted attributes }{
		"reported":      {attributes{"kind": "llm", "in": int64(5)}, attributes{"source": "reported"}},
		"missing":       {attributes{"kind": "llm"}, attributes{"source": "missing"}},
		"cannot be":     {attributes{"kind": "llm", "in": int64(-5)}, attributes{"source": "missing", "in": int64(-5)}},
		"sum":           {attributes{"kind": "agent", "out": int64(5)}, attributes{"source": "aggregated"}},
		"no tokens":     {attributes{"kind": "agent"}, attributes{"source": nil}},
		"estimated":     {attributes{"kind": "llm", "in": int64(5), "source": "estimated"}, attributes{"source": "estimated"}},
		"nothing":       {attributes{"kind": "llm", "in": int64(0), "out": int64(0)}, attributes{"source": "missing", "in": nil, "out": nil, "sent.in": int64(0), "sent.out": int64(0)}},
		"only no input": {attributes{"kind": "llm", "in": int64(0)}, attributes{"source": "reported", "in": int64(0)}},
		"no output":     {attributes{"kind": "llm", "in": int64(5), "out": int64(0)}, attributes{"source": "reported", "out": int64(0)}},
		"odd model":     {attributes{"kind": "llm", "model": int64(5)}, attributes{"invalid": []any{"model: no text"}, "model": int64(5)}},
	} {
		if wrong := differs(normalised(t, config(), newSpan(t, one.came)), one.wanted); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// The reasons why a model stopped are a list, however they came.
func TestReasons(t *testing.T) {
	for _, one := range []struct{ came, wanted any }{
		{"stop", []any{"stop"}}, {`["stop", "length"]`, []any{"stop", "length"}}, {"[", []any{"["}},
		{[]any{"stop"}, []any{"stop"}}, {int64(5), int64(5)},
	} {
		got := normalised(t, config(), newSpan(t, attributes{"kind": "llm", "reasons": one.came}))
		if wrong := differs(got, attributes{"reasons": one.wanted}); len(wrong) > 0 {
			t.Errorf("%v: %v", one.came, wrong)
		}
	}
}

// An emitter that counts the cache apart has it added to its input once, and others have not.
func TestCacheApart(t *testing.T) {
	came := attributes{"in": int64(5), "read": int64(3), "written": int64(2)}
	for name, one := range map[string]struct {
		scope        string
		came, wanted attributes
	}{
		"apart":      {"acme.apart", came, attributes{"in": int64(10), "sent.in": int64(5)}},
		"inclusive":  {"acme.other", came, attributes{"in": int64(5), "sent.in": nil}},
		"no cache":   {"acme.apart", attributes{"in": int64(5)}, attributes{"in": int64(5), "sent.in": nil}},
		"no input":   {"acme.apart", attributes{"read": int64(5)}, attributes{"in": nil, "sent.in": nil}},
		"text":       {"acme.apart", attributes{"in": "5", "read": int64(3)}, attributes{"in": int64(8), "sent.in": "5"}},
		"added once": {"acme.apart", attributes{"in": int64(10), "read": int64(5), "sent.in": int64(5)}, attributes{"in": int64(10)}},
		"odd cache":  {"acme.apart", attributes{"in": int64(5), "read": "3"}, attributes{"in": int64(5), "sent.in": int64(5)}},
	} {
		traces := newSpan(t, one.came)
		theScope(traces).Scope().SetName(one.scope)
		if wrong := differs(normalised(t, config(), traces), one.wanted); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// A known fault is mended or marked in the versions that have it; a number that is right already keeps no mark.
func TestFaults(t *testing.T) {
	came := attributes{"in": int64(5), "out": int64(2), "total": int64(10)}
	mended, left := attributes{"out": int64(5), "sent.out": int64(2), "fault": "less"}, attributes{"out": int64(2), "fault": nil}
	for _, one := range []struct {
		scope, version string
		came, wanted   attributes
	}{
		{"faulty", "1.4.9", came, mended},
		{"faulty", "0.9", came, mended},
		{"faulty", "1.5.0", came, left},
		{"faulty", "2.0", came, left},
		{"faulty", "1", came, left},
		{"faulty", "", came, left},
		{"faulty", "new", came, left},
		{"faulty.not", "1.4", came, left},
		{"faulty", "1.4", attributes{"in": int64(5), "out": int64(5), "total": int64(10)}, attributes{"out": int64(5), "fault": nil}},
		{"faulty", "1.4", attributes{"in": "5", "out": int64(5), "total": int64(10)}, attributes{"out": int64(5), "fault": "less"}},
		{"doubtful", "", came, attributes{"out": int64(2), "fault": "doubtful"}},
	} {
		traces := newSpan(t, one.came)
		theScope(traces).Scope().SetName(one.scope)
		theScope(traces).Scope().SetVersion(one.version)
		if wrong := differs(normalised(t, config(), traces), one.wanted); len(wrong) > 0 {
			t.Errorf("%s %s %v: %v", one.scope, one.version, one.came, wrong)
		}
	}
}
