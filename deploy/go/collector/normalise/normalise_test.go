package normalise

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type attributes = map[string]any

// config is a vocabulary of one dialect, acme, and of one that takes the rest.
func config() *Config {
	return &Config{
		Keys: Keys{
			Kind: "kind", Dialect: "dialect", Framework: "framework", FrameworkVersion: "framework.version", Invalid: "invalid", Operation: "operation",
			Provider: "provider", Agent: "agent", ParentAgent: "parent", RequestModel: "model",
			ResponseModel: "response.model", FinishReasons: "reasons", FirstToken: "first", ErrorType: "error",
			Input: "in", Output: "out", CacheRead: "read", CacheWrite: "written", Reasoning: "thought",
			UsageSource: "source", UsageFault: "fault", SentInput: "sent.in", SentOutput: "sent.out",
			ExceptionEvent: "exception", ExceptionType: "exception.type",
		},
		Tenant: map[string]string{"tenant": "default"}, Kinds: []string{"llm", "agent", "task"}, AgentKind: "agent",
		ModelKinds: []string{"llm"}, KindsByValue: map[string]map[string]string{"does": {"chat": "llm", "plan": "task"}},
		Operations: map[string]string{"llm": "chat"}, Providers: map[string]string{"AI": "ai"},
		Instrumentors: []Instrumentor{{"made.by.", 2}}, Absurd: 1000,
		Sources: Sources{Reported: "reported", Aggregated: "aggregated", Missing: "missing"},
		Errors:  Errors{Texts: []string{`^([A-Z]\w+Error):`}, Other: "other"},
		Dialects: []Dialect{
			{Name: "acme", Scopes: []string{"acme"}, Mark: "acme", Framework: "acme-agents", CacheApart: []string{"@scope.name=acme.apart"}},
			{Name: "marked", When: "acme.span", Mark: "marked", Framework: "marker"},
			{Name: "rest", When: "does", Mark: "rest", Rest: true, Rows: []Row{{Set: "kind", Lookup: "does"}}},
		},
		Faults: []Fault{
			{ID: "less", Scopes: []string{"faulty"}, Bounded: true, Major: 1, Minor: 5, When: "total & out", Correct: "out", Minus: []string{"total", "in"}, Sent: "sent.out"},
			{ID: "doubtful", Scopes: []string{"doubtful"}, When: "out"},
		},
	}
}

// rowsOf is the configuration with these rows for all spans.
func rowsOf(rows ...Row) *Config {
	cfg := config()
	cfg.Dialects = append(cfg.Dialects, Dialect{Name: "all", Rows: rows})
	return cfg
}

func newSpan(t testing.TB, came attributes) ptrace.Traces {
	t.Helper()
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("work")
	if err := span.Attributes().FromRaw(came); err != nil {
		t.Fatal(err)
	}
	return traces
}

func theScope(traces ptrace.Traces) ptrace.ScopeSpans {
	return traces.ResourceSpans().At(0).ScopeSpans().At(0)
}

func theSpan(traces ptrace.Traces) ptrace.Span { return theScope(traces).Spans().At(0) }

func normalised(t testing.TB, cfg *Config, traces ptrace.Traces) attributes {
	t.Helper()
	made, err := compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	after, err := newTraces(made).process(context.Background(), traces)
	if err != nil || after.SpanCount() != traces.SpanCount() {
		t.Fatalf("%d spans, %v", after.SpanCount(), err)
	}
	return theSpan(after).Attributes().AsRaw()
}

// differs says which of the wanted attributes a span has not got; nil is an attribute that it must not have.
func differs(got, wanted attributes) attributes {
	wrong := attributes{}
	for key, value := range wanted {
		if found, there := got[key]; !reflect.DeepEqual(found, value) || there != (value != nil) {
			wrong[key] = found
		}
	}
	return wrong
}

// A span has a tenant: its own, else its resource's, else the usual one.
func TestTenant(t *testing.T) {
	for name, one := range map[string]struct {
		own, resource attributes
		wanted        any
	}{
		"own":      {attributes{"tenant": "a"}, attributes{"tenant": "b"}, "a"},
		"resource": {attributes{}, attributes{"tenant": "b"}, "b"},
		"nobody":   {attributes{}, attributes{}, "default"},
		"a number": {attributes{}, attributes{"tenant": int64(5)}, int64(5)},
		"empty":    {attributes{"tenant": nil}, attributes{"tenant": nil}, "default"},
	} {
		traces := newSpan(t, one.own)
		_ = traces.ResourceSpans().At(0).Resource().Attributes().FromRaw(one.resource)
		if got := normalised(t, config(), traces)["tenant"]; got != one.wanted {
			t.Errorf("%s: %v, not %v", name, got, one.wanted)
		}
	}
}

// The scope's name, or a mark on the span, says the dialect; the one for the rest marks what no other has marked.
func TestDialects(t *testing.T) {
	for scope, one := range map[string]struct{ came, wanted attributes }{
		"acme.core":      {attributes{"does": "chat"}, attributes{"dialect": "acme", "framework": "acme-agents", "framework.version": "1.4", "kind": "llm"}},
		"not.acme":       {attributes{"does": "plan"}, attributes{"dialect": "rest", "framework": nil, "kind": "task"}},
		"other":          {attributes{"acme.span": true}, attributes{"dialect": "marked", "framework": "marker", "framework.version": nil, "kind": nil, "operation": nil}},
		"made.by.lib.v1": {attributes{"does": "?"}, attributes{"framework": "lib", "framework.version": nil, "kind": nil}},
		"made.by.":       {attributes{}, attributes{"framework": "", "dialect": nil}},
		"made.by.us":     {attributes{"acme.span": true}, attributes{"dialect": "marked", "framework": "us"}},
		"":               {attributes{"kind": "odd", "does": "chat"}, attributes{"kind": "llm", "operation": "chat"}},
		"number":         {attributes{"kind": int64(5)}, attributes{"kind": nil}},
	} {
		traces := newSpan(t, one.came)
		theScope(traces).Scope().SetName(scope)
		theScope(traces).Scope().SetVersion("1.4")
		if wrong := differs(normalised(t, config(), traces), one.wanted); len(wrong) > 0 {
			t.Errorf("%q: %v", scope, wrong)
		}
	}
}

// Providers have one name, and what is no agent belongs to the agent that it ran inside.
func TestNames(t *testing.T) {
	for _, one := range []struct{ came, wanted attributes }{
		{attributes{"provider": "AI"}, attributes{"provider": "ai"}},
		{attributes{"provider": "other"}, attributes{"provider": "other"}},
		{attributes{"provider": int64(5)}, attributes{"provider": int64(5)}},
		{attributes{"parent": "boss", "kind": "task"}, attributes{"agent": "boss"}},
		{attributes{"parent": "boss", "kind": "agent"}, attributes{"agent": nil}},
		{attributes{"parent": "boss", "agent": "own"}, attributes{"agent": "own"}},
	} {
		if wrong := differs(normalised(t, config(), newSpan(t, one.came)), one.wanted); len(wrong) > 0 {
			t.Errorf("%v: %v", one.came, wrong)
		}
	}
}

// Events say the first token, why a model stopped and the type of an exception; what the span says itself goes before.
func TestEvents(t *testing.T) {
	cfg := config()
	cfg.Events = []EventRow{{Event: "token", Set: "first"}, {Event: "choice", Key: "why", Set: "reasons", List: true}, {Event: "choice", Key: "who", Set: "agent"}}
	traces := newSpan(t, attributes{})
	span := theSpan(traces)
	span.SetStartTimestamp(1_000_000_000)
	span.Status().SetCode(ptrace.StatusCodeError)
	for i, name := range []string{"token", "token", "choice", "choice", "exception", "unknown"} {
		event := span.Events().AppendEmpty()
		event.SetName(name)
		event.SetTimestamp(pcommon.Timestamp(1_250_000_000 + i))
		_ = event.Attributes().FromRaw(attributes{"why": "stop", "exception.type": "Boom"})
	}
	wanted := attributes{"first": 0.25, "reasons": []any{"stop"}, "error": "Boom", "agent": nil}
	if wrong := differs(normalised(t, cfg, traces), wanted); len(wrong) > 0 {
		t.Errorf("%v", wrong)
	}
}

// A failed span's error has a type: its own, that in its status, or the one for all others; other spans have none.
func TestErrors(t *testing.T) {
	for message, wanted := range map[string]any{"SomeError: no": "SomeError", "no": "other", "": "other", "fine": nil} {
		traces := newSpan(t, attributes{})
		theSpan(traces).Status().SetMessage(message)
		if message != "fine" {
			theSpan(traces).Status().SetCode(ptrace.StatusCodeError)
		}
		if got := normalised(t, config(), traces)["error"]; got != wanted {
			t.Errorf("%q: %v", message, got)
		}
	}
}

// Senders who invent scopes do not fill the memory.
func TestScopesAreForgotten(t *testing.T) {
	made, _ := compile(config())
	processor := newTraces(made)
	for range 3 * mostPlans {
		processor.planOf(scope{name: strings.Repeat("x", len(processor.plans))})
	}
	if len(processor.plans) > mostPlans {
		t.Errorf("%d are remembered", len(processor.plans))
	}
}
