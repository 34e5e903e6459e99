package privacy

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
)

const secret = "sk-planted0123456789abcdef"

func config(content string) *Config {
	return &Config{
		Content: content,
		Redact:  true,
		Patterns: []Pattern{
			{Name: "key", Regex: `sk-[A-Za-z0-9]{16,}`, Replacement: "[redacted]", Hints: []string{"sk-"}},
			{Name: "bearer", Regex: `(?i)(bearer )[a-z0-9]{16,}`, Replacement: "${1}[redacted]", Hints: []string{"bearer"}},
			{Name: "card", Regex: `4[0-9]{3}(?:[ -]?[0-9]{4}){3}`, Replacement: "[redacted]", MinDigits: 16},
		},
		Custom: "ACME-[0-9]+\n",
		ContentKeys: []ContentKey{
			{Key: "gen_ai.input.messages", Match: "exact", Part: "input"},
			{Key: "llm.output_messages.", Match: "prefix", Part: "output"},
			{Key: "gen_ai.prompt.", Match: "indexed", Part: "input"},
		},
		ContentEvents:    []string{"gen_ai."},
		ContentEventKeys: []string{"content"},
	}
}

func newTestWalker(cfg *Config) *walker {
	return &walker{contents: newContents(cfg), redactor: newRedactor(cfg, func(string) {})}
}

// plant puts the secret into a string, a nested map, a slice and bytes.
func plant(attributes pcommon.Map) {
	attributes.PutStr("plain", "before "+secret+" after")
	attributes.PutEmptyMap("map").PutEmptySlice("slice").AppendEmpty().SetStr(secret)
	attributes.PutEmptyBytes("bytes").FromRaw([]byte(secret))
	attributes.PutInt("number", 4111111111111111)
}

func plantedTraces() ptrace.Traces {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	plant(resource.Resource().Attributes())
	scope := resource.ScopeSpans().AppendEmpty()
	plant(scope.Scope().Attributes())
	span := scope.Spans().AppendEmpty()
	span.SetName("call " + secret)
	span.Status().SetMessage("failed with " + secret)
	plant(span.Attributes())
	event := span.Events().AppendEmpty()
	event.SetName("event " + secret)
	plant(event.Attributes())
	plant(span.Links().AppendEmpty().Attributes())
	return traces
}

// A secret planted at any place of a span is gone, and what stood around it stays.
func TestTraces(t *testing.T) {
	traces := plantedTraces()
	if _, err := newTestWalker(config(ContentFull)).traces(context.Background(), traces); err != nil {
		t.Fatal(err)
	}
	text := tracesText(t, traces)
	if strings.Contains(text, secret) {
		t.Fatalf("the secret is still in %s", text)
	}
	if !strings.Contains(text, "before [redacted] after") {
		t.Fatalf("the text around the secret is gone: %s", text)
	}
}

// A secret planted in a log's body, attributes or name is gone.
func TestLogs(t *testing.T) {
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	plant(record.Body().SetEmptyMap())
	plant(record.Attributes())
	record.SetEventName("event " + secret)
	if _, err := newTestWalker(config(ContentFull)).logs(context.Background(), logs); err != nil {
		t.Fatal(err)
	}
	bytes, _ := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if strings.Contains(string(bytes), secret) {
		t.Fatal("the secret is still in the log")
	}
}

// A secret planted in the attributes of a data point or an exemplar of any metric kind is gone.
func TestMetrics(t *testing.T) {
	metrics := pmetric.NewMetrics()
	made := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	gauge := made.AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	plant(gauge.Attributes())
	plant(gauge.Exemplars().AppendEmpty().FilteredAttributes())
	plant(made.AppendEmpty().SetEmptySum().DataPoints().AppendEmpty().Attributes())
	histogram := made.AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	plant(histogram.Attributes())
	plant(histogram.Exemplars().AppendEmpty().FilteredAttributes())
	plant(made.AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Attributes())
	plant(made.AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty().Attributes())
	if _, err := newTestWalker(config(ContentFull)).metrics(context.Background(), metrics); err != nil {
		t.Fatal(err)
	}
	bytes, _ := (&pmetric.ProtoMarshaler{}).MarshalMetrics(metrics)
	if strings.Contains(string(bytes), secret) {
		t.Fatal("the secret is still in a metric")
	}
}

// Each rule finds its secret and leaves near misses alone.
func TestText(t *testing.T) {
	redactor := newRedactor(config(ContentFull), func(string) {})
	for text, wanted := range map[string]string{
		"key " + secret + ".":                "key [redacted].",
		"card 4111 1111 1111 1111":           "card [redacted]",
		"BEARER abcdefghij0123456789":        "BEARER [redacted]",
		"order ACME-12 for ACME-":            "order [redacted] for ACME-",
		"task-force, sk-short, 4111 1111":    "task-force, sk-short, 4111 1111",
		"0af7651916cd43dd8448eb211c80319c":   "0af7651916cd43dd8448eb211c80319c",
		secret + " and " + secret:            "[redacted] and [redacted]",
		"":                                   "",
		"caf\u00e9 \xff " + secret + " \xfe": "caf\u00e9 \xff [redacted] \xfe",
	} {
		if got, _ := redactor.text(text); got != wanted {
			t.Errorf("%q became %q, not %q", text, got, wanted)
		}
	}
}

// With redaction off nothing is changed.
func TestRedactOff(t *testing.T) {
	cfg := config(ContentFull)
	cfg.Redact = false
	if got, changed := newRedactor(cfg, func(string) {}).text(secret); changed || got != secret {
		t.Fatalf("became %q", got)
	}
}

func contentSpan() pcommon.Map {
	attributes := pcommon.NewMap()
	attributes.PutStr("gen_ai.input.messages", `[{"role":"system","parts":[{"type":"text","content":"four"}]},{"role":"user","content":"caf\u00e9s"}]`)
	attributes.PutStr("llm.output_messages.0.message.role", "assistant")
	attributes.PutStr("llm.output_messages.0.message.content", "secret answer")
	attributes.PutStr("gen_ai.request.model", "m")
	return attributes
}

// full keeps the texts, metadata keeps roles and lengths only, off keeps nothing of them.
func TestContentLevels(t *testing.T) {
	for level, wanted := range map[string]int{ContentFull: 4, ContentMetadata: 5, ContentOff: 1} {
		attributes := contentSpan()
		newContents(config(level)).attributes(attributes)
		if attributes.Len() != wanted {
			t.Errorf("%s leaves %v", level, attributes.AsRaw())
		}
	}
	attributes := contentSpan()
	newContents(config(ContentMetadata)).attributes(attributes)
	for key, wanted := range map[string]string{
		"spyglass.content.input.roles":    `["system","user"]`,
		"spyglass.content.input.lengths":  `[4,5]`,
		"spyglass.content.output.roles":   `["assistant"]`,
		"spyglass.content.output.lengths": `[13]`,
	} {
		if value, _ := attributes.Get(key); value.AsString() != wanted {
			t.Errorf("%s is %s, not %s", key, value.AsString(), wanted)
		}
	}
}

// An indexed key is content only where a digit follows.
func TestContentIndexed(t *testing.T) {
	attributes := pcommon.NewMap()
	attributes.PutStr("gen_ai.prompt.0.content", "text")
	attributes.PutStr("gen_ai.prompt.name", "greeting")
	newContents(config(ContentOff)).attributes(attributes)
	if _, kept := attributes.Get("gen_ai.prompt.name"); !kept || attributes.Len() != 1 {
		t.Fatalf("left %v", attributes.AsRaw())
	}
}

// What the sender said of its own content is not overwritten, and a text that is no list of messages counts as one.
func TestContentOwnSummary(t *testing.T) {
	attributes := pcommon.NewMap()
	attributes.PutStr("gen_ai.input.messages", "[not JSON")
	attributes.PutEmptySlice("spyglass.content.input.lengths").AppendEmpty().SetInt(3)
	newContents(config(ContentMetadata)).attributes(attributes)
	if value, _ := attributes.Get("spyglass.content.input.lengths"); value.AsString() != "[3]" {
		t.Fatalf("became %s", value.AsString())
	}
	other := pcommon.NewMap()
	other.PutStr("gen_ai.input.messages", "[not JSON")
	newContents(config(ContentMetadata)).attributes(other)
	if value, _ := other.Get("spyglass.content.input.lengths"); value.AsString() != "[9]" {
		t.Fatalf("became %s", value.AsString())
	}
}

// Events and log records that carry messages lose their texts, others keep them.
func TestContentEvents(t *testing.T) {
	for name, wanted := range map[string]bool{"gen_ai.user.message": false, "exception": true} {
		traces := ptrace.NewTraces()
		span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		event := span.Events().AppendEmpty()
		event.SetName(name)
		event.Attributes().PutStr("content", "text")
		logs := plog.NewLogs()
		record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Attributes().PutStr("event.name", name)
		record.Body().SetStr("text")
		w := newTestWalker(config(ContentMetadata))
		_, _ = w.traces(context.Background(), traces)
		_, _ = w.logs(context.Background(), logs)
		if _, kept := event.Attributes().Get("content"); kept != wanted {
			t.Errorf("%s: content kept is %v", name, kept)
		}
		if kept := record.Body().AsString() == "text"; kept != wanted {
			t.Errorf("%s: body kept is %v", name, kept)
		}
	}
}

// A configuration that cannot work is refused with the place of the fault.
func TestValidate(t *testing.T) {
	if err := config(ContentFull).Validate(); err != nil {
		t.Fatal(err)
	}
	for wanted, spoil := range map[string]func(*Config){
		"none of off":              func(c *Config) { c.Content = "some" },
		"pattern key":              func(c *Config) { c.Patterns[0].Regex = "(" },
		"none of exact":            func(c *Config) { c.ContentKeys[0].Match = "some" },
		"SPYGLASS_REDACT_PATTERNS": func(c *Config) { c.Custom = "fine\n(?=lookahead)" },
	} {
		cfg := config(ContentFull)
		spoil(cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%s: %v", wanted, err)
		}
	}
}

// The factory makes processors for all three signals, which pass on what they are given.
func TestFactory(t *testing.T) {
	factory, set := NewFactory(), processortest.NewNopSettings(component.MustNewType("spyglass_privacy"))
	sink := new(consumertest.TracesSink)
	traces, err := factory.CreateTraces(context.Background(), set, factory.CreateDefaultConfig(), sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := traces.ConsumeTraces(context.Background(), plantedTraces()); err != nil || sink.SpanCount() != 1 {
		t.Fatalf("%d spans, %v", sink.SpanCount(), err)
	}
	if _, err := factory.CreateMetrics(context.Background(), set, factory.CreateDefaultConfig(), consumertest.NewNop()); err != nil {
		t.Fatal(err)
	}
	if _, err := factory.CreateLogs(context.Background(), set, factory.CreateDefaultConfig(), consumertest.NewNop()); err != nil {
		t.Fatal(err)
	}
}

func tracesText(t *testing.T, traces ptrace.Traces) string {
	t.Helper()
	bytes, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

// BenchmarkText shows what a text without a secret costs; run it with `go test -bench . ./privacy`.
func BenchmarkText(b *testing.B) {
	redactor := newRedactor(config(ContentFull), func(string) {})
	for name, text := range map[string]string{
		"short": "gpt-5-mini",
		"long":  strings.Repeat("The quick brown fox jumps over the lazy dog and asks 12 agents, at 10:45, for apples. ", 20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				redactor.text(text)
			}
		})
	}
}
