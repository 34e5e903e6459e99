package normalise

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Each form of a row reads what it is for, and leaves alone what it cannot read.
func TestRows(t *testing.T) {
	plain, sum := Row{Set: "to", From: "from"}, Row{Set: "to", From: "a + b"}
	for name, one := range map[string]struct {
		row    Row
		came   attributes
		wanted any
	}{
		"plain":                 {plain, attributes{"from": "x"}, "x"},
		"list":                  {plain, attributes{"from": []any{"x", int64(1)}}, []any{"x", int64(1)}},
		"not over its own":      {plain, attributes{"from": "x", "to": "y"}, "y"},
		"over an empty one":     {plain, attributes{"from": "x", "to": nil}, "x"},
		"nothing there":         {plain, attributes{}, nil},
		"constant":              {Row{Set: "to", From: "=x"}, attributes{}, "x"},
		"constant truth":        {Row{Set: "to", From: "=true", As: "bool"}, attributes{}, true},
		"name":                  {Row{Set: "to", From: "@span.name"}, attributes{}, "work"},
		"condition holds":       {Row{Set: "to", From: "from", When: "does=chat"}, attributes{"from": "x", "does": "chat"}, "x"},
		"condition does not":    {Row{Set: "to", From: "from", When: "does=chat"}, attributes{"from": "x"}, nil},
		"sum":                   {sum, attributes{"a": int64(1), "b": int64(2)}, int64(3)},
		"sum with a fraction":   {sum, attributes{"a": int64(1), "b": 0.5}, 1.5},
		"sum of the first":      {sum, attributes{"a": int64(1)}, int64(1)},
		"sum without the first": {sum, attributes{"b": int64(1)}, nil},
		"sum with a text":       {sum, attributes{"a": int64(1), "b": "2"}, nil},
	} {
		got := normalised(t, rowsOf(one.row), newSpan(t, one.came))
		if wrong := differs(got, attributes{"to": one.wanted}); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// A list that a row has read stays what it was when the attribute that it came from is overwritten afterwards.
func TestCopiesStay(t *testing.T) {
	traces := newSpan(t, attributes{"framework": []any{"x"}})
	theScope(traces).Scope().SetName("acme")
	wanted := attributes{"to": []any{"x"}, "framework": "acme-agents"}
	if wrong := differs(normalised(t, rowsOf(Row{Set: "to", From: "framework"}), traces), wanted); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}

// A value becomes what a row says it is, where it can.
func TestConversions(t *testing.T) {
	uuid := "98ef495d-5aba-4d01-ab1c-cc998af9696b"
	for name, one := range map[string]struct {
		as           string
		came, wanted any
	}{
		"milliseconds":           {"ms", int64(250), 0.25},
		"milliseconds in a text": {"ms", "250", 0.25},
		"no milliseconds":        {"ms", "soon", nil},
		"milliseconds as a list": {"ms", []any{int64(1)}, nil},
		"truth in a text":        {"bool", "True", true},
		"truth in a number":      {"bool", int64(0), false},
		"no truth":               {"bool", "maybe", nil},
		"member":                 {"enum", "Reason.STOP", "stop"},
		"no member":              {"enum", "stop", nil},
		"no text":                {"enum", int64(1), nil},
		"bare":                   {"bare", "boss_" + uuid, "boss"},
		"bare already":           {"bare", "boss", "boss"},
		"last word":              {"last", "tools/call  search", "search"},
		"one word":               {"last", "search", nil},
		"nothing behind a space": {"last", "search ", nil},
		"word of a number":       {"last", int64(5), nil},
	} {
		got := normalised(t, rowsOf(Row{Set: "to", From: "from", As: one.as}), newSpan(t, attributes{"from": one.came}))
		if wrong := differs(got, attributes{"to": one.wanted}); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

// Places in JSON are read where they are; JSON of another shape, or none, gives nothing, and what is none is named.
func TestJSON(t *testing.T) {
	rows := []Row{{JSON: "doc", When: "!stop"}, {Set: "to", From: "doc>use>0>n"}, {Set: "sum", From: "doc>use>0>n + doc>more>n"}}
	named := []any{"doc: no JSON"}
	for document, wanted := range map[any]attributes{
		`{"use": [{"n": 5}]}`:                     {"to": 5.0, "sum": 5.0, "invalid": nil},
		`{"use": [{"n": 5}], "more": {"n": 0.5}}`: {"to": 5.0, "sum": 5.5},
		`{"use": [{"n": 5}], "more": 1}`:          {"to": 5.0, "sum": nil},
		`{"use": [{"n": "5"}]}`:                   {"to": "5", "sum": nil, "invalid": []any{"doc>use>0>n: text"}},
		`{"use": [{"n": {"m": 1}}]}`:              {"to": attributes{"m": 1.0}, "sum": nil},
		`{"use": [{"n": null}]}`:                  {"to": nil, "invalid": nil},
		`{"use": []}`:                             {"to": nil, "invalid": nil},
		`{"use": {"0": {"n": 5}}}`:                {"to": nil, "invalid": nil},
		`[1]`:                                     {"to": nil, "invalid": nil},
		`{}`:                                      {"to": nil, "sum": nil, "invalid": nil},
		`{"use"`:                                  {"to": nil, "invalid": named},
		`7`:                                       {"to": nil, "invalid": named},
		int64(7):                                  {"to": nil, "invalid": named},
	} {
		if wrong := differs(normalised(t, rowsOf(rows...), newSpan(t, attributes{"doc": document})), wanted); len(wrong) > 0 {
			t.Errorf("%v: %v", document, wrong)
		}
	}
	if got := normalised(t, rowsOf(rows...), newSpan(t, attributes{"doc": "{", "stop": true})); got["invalid"] != nil {
		t.Errorf("a document whose condition fails was read: %v", got["invalid"])
	}
}

// What one dialect has parsed is no document of another's, nor of the next span's.
func TestDocumentsAreNotShared(t *testing.T) {
	cfg := rowsOf(Row{JSON: "one"}, Row{Set: "to", From: "one>n"})
	cfg.Dialects = append(cfg.Dialects, Dialect{Name: "second", Rows: []Row{{JSON: "two"}, {Set: "also", From: "two>n"}}})
	traces := newSpan(t, attributes{"one": `{"n": 5}`})
	next := theScope(traces).Spans().AppendEmpty()
	if wrong := differs(normalised(t, cfg, traces), attributes{"to": 5.0, "also": nil}); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
	if _, there := next.Attributes().Get("to"); there {
		t.Errorf("the next span has %v", next.Attributes().AsRaw())
	}
}

// A condition says of a span what the language of the tables says; what cannot be asked makes it fail, negated or not.
func TestConditions(t *testing.T) {
	came := attributes{"a": "apple", "n": int64(5), "f": 5.0, "yes": true, "list": []any{"x"}, "same": "work", "doc": `{"n": [5], "t": "work"}`}
	for written, wanted := range map[string]bool{
		"": true, "a": true, "!a": false, "none": false, "!none": true, "a & n": true, "a & none": false, "none or a": true,
		"a=apple": true, "a=pear|apple": true, "a=pear": false, "a!=pear": true, "a!=apple|pear": false, "none!=x": true,
		"n=5": true, "f=5": true, "n=6": false, "a=5": false, "yes=true": true, "yes=false": false, "a=true": false,
		"a^=app": true, "a^=b|ap": true, "a^=pp": false, "a$=ple": true, "a$=x": false, "n^=5": false, "none^=a": false,
		"n^=5 or a": false, "a or n^=5": true, "list": true, "list=x": false, "list!=x": true,
		"@span.name=work": true, "@span.name^=wo": true, "@scope.name=acme": false, "@scope.name=": false,
		"@span.name==same": true, "@span.name==a": false, "@span.name==doc>t": true, "n==f": true, "none==gone": true,
		"doc>n>0=5": true, "doc>n>1": false, "!doc>n>1": false, "!doc>m": true, "!doc>n>x": false, "doc>n>0==n": true,
		"@root": true, "!@root": false, "@failed": false, "!@failed": true, "a=apple & @root or none": true,
	} {
		got := normalised(t, rowsOf(Row{JSON: "doc"}, Row{Set: "to", From: "=x", When: written}), newSpan(t, came))
		if got["to"] == "x" != wanted {
			t.Errorf("%q is not %v", written, wanted)
		}
	}
	traces := newSpan(t, attributes{})
	theSpan(traces).SetParentSpanID([8]byte{1})
	theSpan(traces).Status().SetCode(ptrace.StatusCodeError)
	if got := normalised(t, rowsOf(Row{Set: "to", From: "=x", When: "!@root & @failed"}), traces); got["to"] != "x" {
		t.Error("a failed span with a parent is taken for another")
	}
}

// A configuration that cannot work is refused with the place of the fault.
func TestValidate(t *testing.T) {
	if err := config().Validate(); err != nil {
		t.Fatal(err)
	}
	rows := func(rows ...Row) func(*Config) { return func(c *Config) { c.Dialects[0].Rows = rows } }
	for wanted, spoil := range map[string]func(*Config){
		"keys: usage_source is missing":             func(c *Config) { c.Keys.UsageSource = "" },
		"absurd: 0 is not positive":                 func(c *Config) { c.Absurd = 0 },
		"errors: error parsing":                     func(c *Config) { c.Errors.Texts = []string{"("} },
		`errors: "x" has no group`:                  func(c *Config) { c.Errors.Texts = []string{"x"} },
		"dialect acme: a row sets nothing":          rows(Row{From: "x"}),
		`the row for to: "odd" is no conversion`:    rows(Row{Set: "to", From: "x", As: "odd"}),
		"the row for to: a source is empty":         rows(Row{Set: "to"}),
		`the row for to: "=x" is no bool`:           rows(Row{Set: "to", From: "=x", As: "bool"}),
		"the row for to: kinds_by_value has no odd": rows(Row{Set: "to", Lookup: "odd"}),
		`"doc>a" reads doc, which no row before`:    rows(Row{Set: "to", From: "doc>a"}),
		`"doc>b" reads doc, which no row before`:    rows(Row{Set: "to", From: "a + doc>b"}),
		`condition "a==doc>b"`:                      rows(Row{Set: "to", From: "=x", When: "a==doc>b"}),
		`condition "a & "`:                          rows(Row{Set: "to", From: "=x", When: "a & "}),
		`dialect marked: condition "doc>a"`:         func(c *Config) { c.Dialects[1].When = "doc>a" },
		`dialect acme: condition "!"`:               func(c *Config) { c.Dialects[0].CacheApart = []string{"!"} },
		"fault less: a correction needs two":        func(c *Config) { c.Faults[0].Minus = nil },
		`fault doubtful: condition "doc>a"`:         func(c *Config) { c.Faults[1].When = "doc>a" },
	} {
		cfg := config()
		spoil(cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v", wanted, err)
		}
	}
}
