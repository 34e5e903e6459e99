package privacy

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// walker visits every text of a signal: content first, because what is removed need not be searched for secrets.
type walker struct {
	contents *contents
	redactor *redactor
}

func (w *walker) traces(_ context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
	for _, resource := range traces.ResourceSpans().All() {
		w.attributes(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			w.attributes(scope.Scope().Attributes())
			for _, span := range scope.Spans().All() {
				w.span(span)
			}
		}
	}
	return traces, nil
}

func (w *walker) span(span ptrace.Span) {
	w.contents.attributes(span.Attributes())
	w.attributes(span.Attributes())
	w.set(span.Name(), span.SetName)
	w.set(span.Status().Message(), span.Status().SetMessage)
	for _, event := range span.Events().All() {
		w.contents.event(event.Name(), event.Attributes())
		w.set(event.Name(), event.SetName)
		w.attributes(event.Attributes())
	}
	for _, link := range span.Links().All() {
		w.attributes(link.Attributes())
	}
}

func (w *walker) logs(_ context.Context, logs plog.Logs) (plog.Logs, error) {
	for _, resource := range logs.ResourceLogs().All() {
		w.attributes(resource.Resource().Attributes())
		for _, scope := range resource.ScopeLogs().All() {
			w.attributes(scope.Scope().Attributes())
			for _, record := range scope.LogRecords().All() {
				w.record(record)
			}
		}
	}
	return logs, nil
}

func (w *walker) record(record plog.LogRecord) {
	name := eventName(record)
	w.contents.event(name, record.Attributes())
	if w.contents.isEvent(name) && !w.contents.keepsAll() {
		pcommon.NewValueEmpty().MoveTo(record.Body())
	}
	w.value(record.Body())
	w.attributes(record.Attributes())
	w.set(record.EventName(), record.SetEventName)
}

// eventName returns the name of an event record; older senders write it as an attribute.
func eventName(record plog.LogRecord) string {
	if record.EventName() != "" {
		return record.EventName()
	}
	if value, found := record.Attributes().Get("event.name"); found {
		return value.AsString()
	}
	return ""
}

func (w *walker) metrics(_ context.Context, metrics pmetric.Metrics) (pmetric.Metrics, error) {
	for _, resource := range metrics.ResourceMetrics().All() {
		w.attributes(resource.Resource().Attributes())
		for _, scope := range resource.ScopeMetrics().All() {
			w.attributes(scope.Scope().Attributes())
			for _, metric := range scope.Metrics().All() {
				w.metric(metric)
			}
		}
	}
	return metrics, nil
}

func (w *walker) metric(metric pmetric.Metric) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		w.numbers(metric.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		w.numbers(metric.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			w.attributes(point.Attributes())
			w.exemplars(point.Exemplars())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range metric.ExponentialHistogram().DataPoints().All() {
			w.attributes(point.Attributes())
			w.exemplars(point.Exemplars())
		}
	case pmetric.MetricTypeSummary:
		for _, point := range metric.Summary().DataPoints().All() {
			w.attributes(point.Attributes())
		}
	case pmetric.MetricTypeEmpty:
	}
}

func (w *walker) numbers(points pmetric.NumberDataPointSlice) {
	for _, point := range points.All() {
		w.attributes(point.Attributes())
		w.exemplars(point.Exemplars())
	}
}

func (w *walker) exemplars(exemplars pmetric.ExemplarSlice) {
	for _, exemplar := range exemplars.All() {
		w.attributes(exemplar.FilteredAttributes())
	}
}

func (w *walker) attributes(attributes pcommon.Map) {
	for _, value := range attributes.All() {
		w.value(value)
	}
}

func (w *walker) value(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		w.set(value.Str(), value.SetStr)
	case pcommon.ValueTypeMap:
		w.attributes(value.Map())
	case pcommon.ValueTypeSlice:
		for _, item := range value.Slice().All() {
			w.value(item)
		}
	case pcommon.ValueTypeBytes:
		w.set(string(value.Bytes().AsRaw()), func(text string) { value.SetEmptyBytes().FromRaw([]byte(text)) })
	default:
	}
}

func (w *walker) set(text string, set func(string)) {
	if redacted, changed := w.redactor.text(text); changed {
		set(redacted)
	}
}
