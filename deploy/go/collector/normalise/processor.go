package normalise

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// mostPlans is how many scopes are remembered; their names come from senders, who may invent as many as they like.
const mostPlans = 1000

// traces normalises spans in place.
type traces struct {
	*normaliser
	sheets sync.Pool
	lock   sync.RWMutex
	plans  map[scope]*plan
}

type scope struct{ name, version string }

func newTraces(n *normaliser) *traces {
	return &traces{
		normaliser: n, plans: map[scope]*plan{}, sheets: sync.Pool{New: func() any { return n.sheet() }},
	}
}

func (t *traces) process(_ context.Context, batch ptrace.Traces) (ptrace.Traces, error) {
	s := t.sheets.Get().(*sheet)
	defer t.sheets.Put(s)
	for _, resource := range batch.ResourceSpans().All() {
		owners := t.owners(resource.Resource().Attributes())
		for _, spans := range resource.ScopeSpans().All() {
			at := scope{spans.Scope().Name(), spans.Scope().Version()}
			p := t.planOf(at)
			for _, span := range spans.Spans().All() {
				t.span(s, p, owners, at.name, span)
			}
		}
	}
	return batch, nil
}

func (t *traces) planOf(at scope) *plan {
	t.lock.RLock()
	found := t.plans[at]
	t.lock.RUnlock()
	if found != nil {
		return found
	}
	made := t.plan(at.name, at.version)
	t.lock.Lock()
	defer t.lock.Unlock()
	if len(t.plans) >= mostPlans {
		clear(t.plans)
	}
	t.plans[at] = made
	return made
}
