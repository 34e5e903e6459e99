package steady

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"
)

var componentType = component.MustNewType("spyglass_steady")

// steady holds the newest point of every cumulative series and sends it when it is due.
type steady struct {
	cfg     *Config
	next    consumer.Metrics
	logger  *zap.Logger
	now     func() time.Time
	stop    chan struct{}
	stopped sync.WaitGroup

	lock    sync.Mutex
	senders map[key]*sender
}

// NewFactory makes the processor, for metrics only.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		componentType,
		func() component.Config {
			return &Config{Interval: time.Second, Repeat: 15 * time.Second, Forget: 24 * time.Hour}
		},
		processor.WithMetrics(create, component.StabilityLevelBeta),
	)
}

func create(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	return &steady{
		cfg: cfg.(*Config), next: next, logger: set.Logger, now: time.Now, stop: make(chan struct{}), senders: map[key]*sender{},
	}, nil
}

// Start begins to send what is due, once every interval.
func (s *steady) Start(context.Context, component.Host) error {
	s.stopped.Add(1)
	go func() {
		defer s.stopped.Done()
		ticker := time.NewTicker(s.cfg.Interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.send(context.Background())
			case <-s.stop:
				return
			}
		}
	}()
	return nil
}

// Shutdown sends the last changes.
func (s *steady) Shutdown(ctx context.Context) error {
	close(s.stop)
	s.stopped.Wait()
	s.send(ctx)
	return nil
}

// Capabilities says that what is taken is only read.
func (s *steady) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeMetrics takes the newest points; whatever is no cumulative sum or histogram goes on at once.
func (s *steady) ConsumeMetrics(ctx context.Context, metrics pmetric.Metrics) error {
	others := pmetric.NewMetrics()
	s.take(metrics, others)
	if others.ResourceMetrics().Len() == 0 {
		return nil
	}
	return s.next.ConsumeMetrics(ctx, others)
}

func (s *steady) take(metrics, others pmetric.Metrics) {
	s.lock.Lock()
	defer s.lock.Unlock()
	now := s.now()
	start := pcommon.NewTimestampFromTime(now.Add(-s.cfg.Interval))
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			owner := s.sender(resource.Resource(), scope.Scope())
			for _, metric := range scope.Metrics().All() {
				switch {
				case isCumulativeSum(metric):
					for _, point := range metric.Sum().DataPoints().All() {
						owner.family(metric).takeNumber(point, now, start)
					}
				case isCumulativeHistogram(metric):
					for _, point := range metric.Histogram().DataPoints().All() {
						owner.family(metric).takeHistogram(point, now, start)
					}
				default:
					passed := others.ResourceMetrics().AppendEmpty()
					resource.Resource().CopyTo(passed.Resource())
					metric.CopyTo(passed.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty())
				}
			}
		}
	}
}

func isCumulativeSum(metric pmetric.Metric) bool {
	return metric.Type() == pmetric.MetricTypeSum &&
		metric.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
}

func isCumulativeHistogram(metric pmetric.Metric) bool {
	return metric.Type() == pmetric.MetricTypeHistogram &&
		metric.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
}

func (s *steady) sender(resource pcommon.Resource, scope pcommon.InstrumentationScope) *sender {
	k := senderKey(resource, scope)
	if s.senders[k] == nil {
		s.senders[k] = newSender(resource, scope)
	}
	return s.senders[k]
}

func (s *steady) send(ctx context.Context) {
	due := s.due()
	if due.DataPointCount() == 0 {
		return
	}
	if err := s.next.ConsumeMetrics(ctx, due); err != nil {
		// The next change or repetition holds the same sums and more.
		s.logger.Warn("series could not be sent and wait for their repetition", zap.Error(err))
	}
}

func (s *steady) due() pmetric.Metrics {
	s.lock.Lock()
	defer s.lock.Unlock()
	now, made := s.now(), pmetric.NewMetrics()
	for k, owner := range s.senders {
		resource := pmetric.NewResourceMetrics()
		scope := resource.ScopeMetrics().AppendEmpty()
		for name, family := range owner.metrics {
			s.addDue(family, scope.Metrics(), now)
			if len(family.series) == 0 {
				delete(owner.metrics, name)
			}
		}
		if scope.Metrics().Len() > 0 {
			owner.resource.CopyTo(resource.Resource())
			owner.scope.CopyTo(scope.Scope())
			resource.MoveTo(made.ResourceMetrics().AppendEmpty())
		}
		if len(owner.metrics) == 0 {
			delete(s.senders, k)
		}
	}
	return made
}

func (s *steady) addDue(family *family, metrics pmetric.MetricSlice, now time.Time) {
	var metric pmetric.Metric
	begun := false
	for k, series := range family.series {
		if now.Sub(series.changedAt) > s.cfg.Forget {
			delete(family.series, k)
			continue
		}
		if !series.isDue(now, s.cfg.Repeat) {
			continue
		}
		if !begun {
			metric, begun = metrics.AppendEmpty(), true
			family.template.CopyTo(metric)
		}
		series.addTo(metric, now)
	}
}
