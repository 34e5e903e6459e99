package steady

import (
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// key tells series, metrics and senders apart by a hash of what they are called.
type key [16]byte

// sender is one resource and scope, with its metrics by name.
type sender struct {
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope
	metrics  map[string]*family
}

// family is one metric: a template without points, and its series.
type family struct {
	template pmetric.Metric
	series   map[key]*series
}

// series holds the newest point of one series; exactly one of number and histogram is in use.
type series struct {
	number    pmetric.NumberDataPoint
	histogram pmetric.HistogramDataPoint
	changed   bool
	changedAt time.Time
	sentAt    time.Time
}

func newSender(resource pcommon.Resource, scope pcommon.InstrumentationScope) *sender {
	made := &sender{pcommon.NewResource(), pcommon.NewInstrumentationScope(), map[string]*family{}}
	resource.CopyTo(made.resource)
	scope.CopyTo(made.scope)
	return made
}

func senderKey(resource pcommon.Resource, scope pcommon.InstrumentationScope) key {
	return pdatautil.Hash(
		pdatautil.WithMap(resource.Attributes()), pdatautil.WithString(scope.Name()), pdatautil.WithString(scope.Version()),
	)
}

func (s *sender) family(metric pmetric.Metric) *family {
	if found := s.metrics[metric.Name()]; found != nil {
		return found
	}
	made := &family{pmetric.NewMetric(), map[key]*series{}}
	made.template.SetName(metric.Name())
	made.template.SetUnit(metric.Unit())
	made.template.SetDescription(metric.Description())
	switch metric.Type() {
	case pmetric.MetricTypeSum:
		sum := made.template.SetEmptySum()
		sum.SetIsMonotonic(metric.Sum().IsMonotonic())
		sum.SetAggregationTemporality(metric.Sum().AggregationTemporality())
	default:
		made.template.SetEmptyHistogram().SetAggregationTemporality(metric.Histogram().AggregationTemporality())
	}
	s.metrics[metric.Name()] = made
	return made
}

func (f *family) takeNumber(point pmetric.NumberDataPoint, now time.Time, start pcommon.Timestamp) {
	held, known := f.series[pdatautil.MapHash(point.Attributes())]
	if !known {
		held = &series{number: pmetric.NewNumberDataPoint()}
		f.series[pdatautil.MapHash(point.Attributes())] = held
	} else if held.number.IntValue() == point.IntValue() && held.number.DoubleValue() == point.DoubleValue() {
		return
	}
	begun := held.number.StartTimestamp()
	point.CopyTo(held.number)
	held.number.SetStartTimestamp(startOf(begun, point.StartTimestamp(), start))
	held.changed, held.changedAt = true, now
}

func (f *family) takeHistogram(point pmetric.HistogramDataPoint, now time.Time, start pcommon.Timestamp) {
	held, known := f.series[pdatautil.MapHash(point.Attributes())]
	if !known {
		held = &series{histogram: pmetric.NewHistogramDataPoint()}
		f.series[pdatautil.MapHash(point.Attributes())] = held
	} else if held.histogram.Count() == point.Count() && held.histogram.Sum() == point.Sum() {
		return
	}
	begun := held.histogram.StartTimestamp()
	point.CopyTo(held.histogram)
	held.histogram.SetStartTimestamp(startOf(begun, point.StartTimestamp(), start))
	held.changed, held.changedAt = true, now
}

// startOf keeps the start that a series has, else takes the emitter's, else the one given.
func startOf(begun, sent, given pcommon.Timestamp) pcommon.Timestamp {
	if begun != 0 {
		return begun
	}
	if sent != 0 {
		return sent
	}
	return given
}

// isDue says whether the series is to be sent now.
func (s *series) isDue(now time.Time, repeat time.Duration) bool {
	return s.changed || now.Sub(s.sentAt) >= repeat
}

// addTo appends the point to a metric of the same kind; exemplars go out once.
func (s *series) addTo(metric pmetric.Metric, now time.Time) {
	if metric.Type() == pmetric.MetricTypeSum {
		point := metric.Sum().DataPoints().AppendEmpty()
		s.number.CopyTo(point)
		point.SetTimestamp(pcommon.NewTimestampFromTime(now))
		s.number.Exemplars().RemoveIf(func(pmetric.Exemplar) bool { return true })
	} else {
		point := metric.Histogram().DataPoints().AppendEmpty()
		s.histogram.CopyTo(point)
		point.SetTimestamp(pcommon.NewTimestampFromTime(now))
		s.histogram.Exemplars().RemoveIf(func(pmetric.Exemplar) bool { return true })
	}
	s.changed, s.sentAt = false, now
}
