package privacy

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

var componentType = component.MustNewType("spyglass_privacy")

// NewFactory makes the processor for all three signals.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		componentType,
		func() component.Config { return &Config{Content: ContentMetadata, Redact: true} },
		processor.WithTraces(newTraces, component.StabilityLevelBeta),
		processor.WithMetrics(newMetrics, component.StabilityLevelBeta),
		processor.WithLogs(newLogs, component.StabilityLevelBeta),
	)
}

func newTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	w, err := newWalker(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, cfg, next, w.traces, mutates())
}

func newMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	w, err := newWalker(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewMetrics(ctx, set, cfg, next, w.metrics, mutates())
}

func newLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	w, err := newWalker(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, w.logs, mutates())
}

func mutates() processorhelper.Option {
	return processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true})
}

func newWalker(set processor.Settings, cfg *Config) (*walker, error) {
	counter, err := set.MeterProvider.Meter("spyglass").Int64Counter(
		"otelcol_spyglass_redacted", metric.WithUnit("{text}"), metric.WithDescription("Texts in which a secret was replaced, by rule."),
	)
	if err != nil {
		return nil, err
	}
	hit := func(rule string) {
		counter.Add(context.Background(), 1, metric.WithAttributes(attribute.String("rule", rule)))
	}
	return &walker{contents: newContents(cfg), redactor: newRedactor(cfg, hit)}, nil
}
