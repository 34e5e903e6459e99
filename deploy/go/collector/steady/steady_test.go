package steady

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"
)

var begin = time.Unix(1_763_715_600, 0)

// clocked is a processor whose clock the test moves.
type clocked struct {
	*steady
	sink *consumertest.MetricsSink
	time time.Time
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	sink := new(consumertest.MetricsSink)
	made, err := create(context.Background(), processortest.NewNopSettings(componentType), NewFactory().CreateDefaultConfig(), sink)
	if err != nil {
		t.Fatal(err)
	}
	c := &clocked{made.(*steady), sink, begin}
	c.now = func() time.Time { return c.time }
	return c
}

func (c *clocked) take(t *testing.T, metrics pmetric.Metrics) {
	t.Helper()
	if err := c.ConsumeMetrics(context.Background(), metrics); err != nil {
		t.Fatal(err)
	}
}

// sent moves the clock and returns the points that go out then, by metric name.
func (c *clocked) sent(after time.Duration) map[string]pmetric.Metric {
	c.time = c.time.Add(after)
	c.sink.Reset()
	c.send(context.Background())
	found := map[string]pmetric.Metric{}
	for _, metrics := range c.sink.AllMetrics() {
		for _, resource := range metrics.ResourceMetrics().All() {
			for _, metric := range resource.ScopeMetrics().At(0).Metrics().All() {
				found[metric.Name()] = metric
			}
		}
	}
	return found
}

func sum(value int64, model string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	resource := metrics.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "app")
	metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("tokens")
	metric.SetUnit("{token}")
	made := metric.SetEmptySum()
	made.SetIsMonotonic(true)
	made.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	point := made.DataPoints().AppendEmpty()
	point.SetIntValue(value)
	point.Attributes().PutStr("model", model)
	return metrics
}

func histogram(count uint64) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("duration")
	made := metric.SetEmptyHistogram()
	made.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	point := made.DataPoints().AppendEmpty()
	point.SetStartTimestamp(7)
	point.SetCount(count)
	point.SetSum(float64(count))
	point.Exemplars().AppendEmpty().SetDoubleValue(1)
	return metrics
}

// A change goes out once, then the series is repeated, and forgotten when it has not changed for long.
func TestChangeRepeatForget(t *testing.T) {
	c := newClocked(t)
	c.take(t, sum(5, "m"))
	if c.sent(time.Second)["tokens"].Sum().DataPoints().At(0).IntValue() != 5 {
		t.Fatal("the first value did not go out")
	}
	c.take(t, sum(5, "m"))
	if len(c.sent(time.Second)) != 0 {
		t.Fatal("an unchanged value went out again at once")
	}
	if len(c.sent(14*time.Second)) != 1 {
		t.Fatal("an unchanged value was not repeated")
	}
	c.take(t, sum(9, "m"))
	if c.sent(time.Second)["tokens"].Sum().DataPoints().At(0).IntValue() != 9 {
		t.Fatal("the change did not go out")
	}
	if len(c.sent(25*time.Hour)) != 0 || len(c.senders) != 0 {
		t.Fatal("the series was not forgotten")
	}
}

// A series without a start begins one interval before its first value and keeps that start; an emitter's own is kept.
func TestStart(t *testing.T) {
	c := newClocked(t)
	c.take(t, sum(5, "m"))
	c.take(t, histogram(1))
	first := c.sent(time.Second)
	wanted := pcommon.NewTimestampFromTime(begin.Add(-time.Second))
	if got := first["tokens"].Sum().DataPoints().At(0).StartTimestamp(); got != wanted {
		t.Fatalf("start is %v, not %v", got, wanted)
	}
	if got := first["duration"].Histogram().DataPoints().At(0).StartTimestamp(); got != 7 {
		t.Fatalf("the emitter's start became %v", got)
	}
	c.take(t, sum(6, "m"))
	point := c.sent(time.Second)["tokens"].Sum().DataPoints().At(0)
	if point.StartTimestamp() != wanted || point.Timestamp() != pcommon.NewTimestampFromTime(c.time) {
		t.Fatalf("the second point is from %v at %v", point.StartTimestamp(), point.Timestamp())
	}
}

// Series of one metric go out together, with what the metric is called.
func TestSeriesShareTheirMetric(t *testing.T) {
	c := newClocked(t)
	c.take(t, sum(1, "a"))
	c.take(t, sum(2, "b"))
	metric := c.sent(time.Second)["tokens"]
	if metric.Sum().DataPoints().Len() != 2 || metric.Unit() != "{token}" || !metric.Sum().IsMonotonic() {
		t.Fatalf("%d points of %q", metric.Sum().DataPoints().Len(), metric.Unit())
	}
}

// An exemplar goes out with its change and not with the repetitions.
func TestExemplarsGoOutOnce(t *testing.T) {
	c := newClocked(t)
	c.take(t, histogram(1))
	if c.sent(time.Second)["duration"].Histogram().DataPoints().At(0).Exemplars().Len() != 1 {
		t.Fatal("the exemplar is missing")
	}
	if c.sent(15 * time.Second)["duration"].Histogram().DataPoints().At(0).Exemplars().Len() != 0 {
		t.Fatal("the exemplar was repeated")
	}
}

// What is no cumulative series goes on at once.
func TestOthersPass(t *testing.T) {
	c := newClocked(t)
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	c.take(t, metrics)
	if c.sink.DataPointCount() != 1 {
		t.Fatal("the gauge did not pass")
	}
}

// A next component that fails loses nothing: the repetition holds the sums.
func TestFailureIsRepeated(t *testing.T) {
	c := newClocked(t)
	sink := c.next
	c.next = consumertest.NewErr(errors.New("queue is full"))
	c.take(t, sum(5, "m"))
	c.sent(time.Second)
	c.next = sink
	if c.sent(15 * time.Second)["tokens"].Sum().DataPoints().At(0).IntValue() != 5 {
		t.Fatal("the value was lost")
	}
}

// Running for real, a change goes out by itself, and the last one at the end.
func TestRuns(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	cfg := &Config{Interval: time.Millisecond, Repeat: time.Hour, Forget: time.Hour}
	made, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(componentType), cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	_ = made.ConsumeMetrics(context.Background(), sum(1, "m"))
	for sink.DataPointCount() == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = made.ConsumeMetrics(context.Background(), sum(2, "m"))
	if err := made.Shutdown(context.Background()); err != nil || sink.DataPointCount() != 2 {
		t.Fatalf("%d points, %v", sink.DataPointCount(), err)
	}
}

// Times that cannot work are refused.
func TestValidate(t *testing.T) {
	if NewFactory().CreateDefaultConfig().(*Config).Validate() != nil {
		t.Fatal("the defaults are refused")
	}
	if (&Config{Interval: time.Minute, Repeat: time.Second, Forget: time.Hour}).Validate() == nil {
		t.Fatal("a repetition before the interval is taken")
	}
}
