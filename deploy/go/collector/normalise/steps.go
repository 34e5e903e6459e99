package normalise

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// span reads one span and writes what it is called.
func (n *normaliser) span(s *sheet, p *plan, owners []value, scopeName string, span ptrace.Span) {
	s.begin(n.slots, scopeName, span)
	n.owner(s, owners)
	n.sentKind(s)
	for _, d := range p.dialects {
		n.speak(s, d)
	}
	if p.hasFramework {
		s.setText(n.keys.framework, p.framework)
	}
	if p.version != "" {
		s.setText(n.keys.frameworkVersion, p.version)
	}
	n.names(s)
	n.usage(s, p)
	n.eventRows(s, span)
	if s.isFailed && !s.has(n.keys.errorType) {
		s.setText(n.keys.errorType, n.errorType(span.Status().Message()))
	}
	s.end(n.slots, span.Attributes(), n.Keys.Invalid)
}

// owners says whose the spans of a resource are that do not say so themselves.
func (n *normaliser) owners(resource pcommon.Map) []value {
	made := make([]value, len(n.tenant))
	for i, t := range n.tenant {
		made[i] = ofText(t.usual)
		if found, there := resource.Get(t.key); there {
			if v := read(found); v.kind != none {
				made[i] = v
			}
		}
	}
	return made
}

func (n *normaliser) owner(s *sheet, owners []value) {
	for i := range n.tenant {
		if number := n.tenant[i].number; !s.has(number) {
			s.set(number, owners[i])
		}
	}
}

// sentKind drops a kind that the sender wrote and that is none.
func (n *normaliser) sentKind(s *sheet) {
	if v := s.get(n.keys.kind); v.kind != none && (v.kind != text || !n.kinds[v.text]) {
		s.remove(n.keys.kind)
	}
}

func (n *normaliser) speak(s *sheet, d *dialect) {
	if !d.when.fits(s) {
		return
	}
	if d.Mark != "" && !(d.Rest && s.has(n.keys.dialect)) {
		s.setText(n.keys.dialect, d.Mark)
	}
	if d.Framework != "" && len(d.Scopes) == 0 {
		s.setText(n.keys.framework, d.Framework)
	}
	for _, row := range d.rows {
		row(s)
	}
}

// names gives an operation its name, what is no agent the agent that it ran inside, and providers one name.
func (n *normaliser) names(s *sheet) {
	k := &n.keys
	if !s.has(k.operation) && s.has(k.dialect) {
		if name, known := n.Operations[s.get(k.kind).text]; known {
			s.setText(k.operation, name)
		}
	}
	if s.has(k.parentAgent) && !s.has(k.agent) && s.get(k.kind).text != n.AgentKind {
		s.set(k.agent, *s.get(k.parentAgent))
	}
	if v := s.get(k.provider); v.kind == text {
		if name, known := n.Providers[v.text]; known {
			s.setText(k.provider, name)
		}
	}
}

// eventRows reads what only events say: the type of the exception, the time of the first token, why a model stopped.
func (n *normaliser) eventRows(s *sheet, span ptrace.Span) {
	for _, e := range span.Events().All() {
		rows, wanted := n.events[e.Name()]
		if !wanted {
			continue
		}
		if e.Name() == n.Keys.ExceptionEvent && s.isFailed && !s.has(n.keys.errorType) {
			s.set(n.keys.errorType, attribute(e, n.Keys.ExceptionType))
		}
		for i := range rows {
			rows[i].read(s, span, e)
		}
	}
}

func (e *event) read(s *sheet, span ptrace.Span, from ptrace.SpanEvent) {
	switch {
	case s.has(e.to):
	case e.Key == "":
		s.set(e.to, ofFraction(float64(int64(from.Timestamp())-int64(span.StartTimestamp()))/1e9))
	case e.List:
		if v := attribute(from, e.Key); v.kind != none {
			s.set(e.to, listOf(v))
		}
	default:
		s.set(e.to, attribute(from, e.Key))
	}
}

func attribute(e ptrace.SpanEvent, key string) value {
	if found, there := e.Attributes().Get(key); there {
		return read(found)
	}
	return value{}
}

func listOf(v value) value {
	raw := pcommon.NewValueSlice()
	v.writeTo(raw.Slice().AppendEmpty())
	return value{kind: other, raw: raw}
}

// errorType finds the type of an error in the text of a status.
func (n *normaliser) errorType(message string) string {
	for _, pattern := range n.errorTexts {
		if found := pattern.FindStringSubmatch(message); found != nil {
			return found[1]
		}
	}
	return n.Errors.Other
}
