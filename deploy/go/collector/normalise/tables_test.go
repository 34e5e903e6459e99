package normalise

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
)

const root = "../../../../"

// tables is the configuration that is made of the dialects' tables.
func tables(t testing.TB) *Config {
	t.Helper()
	written, err := os.ReadFile(root + "collector-config/normalise.yaml")
	if err != nil {
		t.Fatal(err)
	}
	read, err := confmap.NewRetrievedFromYAML([]byte(strings.ReplaceAll(string(written), "$$", "$")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := read.AsConf()
	if err != nil {
		t.Fatal(err)
	}
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	own, err := all.Sub("processors::" + componentType.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func recordings(t testing.TB) []ptrace.Traces {
	t.Helper()
	paths, _ := filepath.Glob(root + "tests/fixtures/otlp/*.traces.json")
	var found []ptrace.Traces
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(text)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, traces)
	}
	if len(found) == 0 {
		t.Fatal("there are no recordings")
	}
	return found
}

// holds says what a normalised span must always have: a kind that there is.
func holds(t testing.TB, cfg *Config, traces ptrace.Traces) {
	t.Helper()
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				kind, there := span.Attributes().Get(cfg.Keys.Kind)
				if !there || !set(cfg.Kinds)[kind.AsString()] {
					t.Errorf("a span of %s has the kind %q", scope.Scope().Name(), kind.AsString())
				}
			}
		}
	}
}

// The factory makes a processor of the tables' configuration, which passes every span of the recordings on.
func TestFactory(t *testing.T) {
	cfg := tables(t)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	sink := new(consumertest.TracesSink)
	made, err := NewFactory().CreateTraces(context.Background(), processortest.NewNopSettings(componentType), cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	spans := 0
	for _, traces := range recordings(t) {
		spans += traces.SpanCount()
		if err := made.ConsumeTraces(context.Background(), traces); err != nil {
			t.Fatal(err)
		}
	}
	if !made.Capabilities().MutatesData || sink.SpanCount() != spans {
		t.Fatalf("%d of %d spans", sink.SpanCount(), spans)
	}
	for _, traces := range sink.AllTraces() {
		holds(t, cfg, traces)
	}
}

// A factory does not make a processor of a configuration that cannot work.
func TestFactoryRefuses(t *testing.T) {
	cfg := config()
	cfg.Dialects[0].When = "doc>a"
	set := processortest.NewNopSettings(componentType)
	if _, err := NewFactory().CreateTraces(context.Background(), set, cfg, consumertest.NewNop()); err == nil {
		t.Fatal("it was made")
	}
}

// Any key with a value of any type gives a span with a kind, and no key stands in it twice.
func TestOddSpans(t *testing.T) {
	cfg := tables(t)
	made, err := compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	processor, random := newTraces(made), rand.New(rand.NewSource(1))
	scopes := []string{"", "other"}
	for _, d := range cfg.Dialects {
		scopes = append(scopes, d.Scopes...)
	}
	for range 5000 {
		traces := newSpan(t, attributes{})
		theScope(traces).Scope().SetName(scopes[random.Intn(len(scopes))])
		for range random.Intn(30) {
			putOdd(random, theSpan(traces).Attributes(), made.slots.keys[random.Intn(len(made.slots.keys))])
		}
		if _, err := processor.process(context.Background(), traces); err != nil {
			t.Fatal(err)
		}
		holds(t, cfg, traces)
		if got := theSpan(traces).Attributes(); got.Len() != len(got.AsRaw()) {
			t.Fatalf("a key is there twice: %v", got.AsRaw())
		}
	}
}

func putOdd(random *rand.Rand, attributes pcommon.Map, key string) {
	odd := []any{
		"", "[", "12", "1e9", `{"usage": [1]}`, "NaN", int64(0), int64(-1), int64(1) << 62, 0.5, -1e300, true, nil,
		[]byte("x"), []byte{}, []any{}, []any{"a", nil}, map[string]any{"a": []any{1.5}},
	}
	_ = attributes.PutEmpty(key).FromRaw(odd[random.Intn(len(odd))])
}

// FuzzTraces: whatever a request holds, all its spans come out of it, each with a kind.
func FuzzTraces(f *testing.F) {
	cfg := tables(f)
	made, err := compile(cfg)
	if err != nil {
		f.Fatal(err)
	}
	processor := newTraces(made)
	for _, traces := range recordings(f) { // a span of each, because small requests are tried more often
		seed := newSpan(f, attributes{})
		theScope(traces).Scope().CopyTo(theScope(seed).Scope())
		theSpan(traces).CopyTo(theSpan(seed))
		request, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(request)
		if err != nil {
			t.Skip()
		}
		spans := traces.SpanCount()
		after, err := processor.process(context.Background(), traces)
		if err != nil || after.SpanCount() != spans {
			t.Fatalf("%d of %d spans, %v", after.SpanCount(), spans, err)
		}
		holds(t, cfg, after)
	})
}

// BenchmarkRecordings shows what a span costs; run it with `go test -bench . ./normalise`.
func BenchmarkRecordings(b *testing.B) {
	made, err := compile(tables(b))
	if err != nil {
		b.Fatal(err)
	}
	processor, all := newTraces(made), recordings(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := ptrace.NewTraces()
		for _, traces := range all {
			for _, resource := range traces.ResourceSpans().All() {
				resource.CopyTo(batch.ResourceSpans().AppendEmpty())
			}
		}
		b.StartTimer()
		_, _ = processor.process(context.Background(), batch)
	}
	spans := 0
	for _, traces := range all {
		spans += traces.SpanCount()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}
