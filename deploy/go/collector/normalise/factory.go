package normalise

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
)

var componentType = component.MustNewType("spyglass_normalise")

// NewFactory makes the processor, for traces only.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		componentType,
		func() component.Config { return &Config{} },
		processor.WithTraces(create, component.StabilityLevelBeta),
	)
}

func create(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	made, err := compile(cfg.(*Config))
	if err != nil {
		return nil, err
	}
	mutates := processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true})
	return processorhelper.NewTraces(ctx, set, cfg, next, newTraces(made).process, mutates)
}
