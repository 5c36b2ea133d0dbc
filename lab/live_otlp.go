package lab

import (
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// OTLP returns the spans of one unit as they came, but for those that handled messages of several units; ok is false when the unit is not, or no
// longer, kept.
func (l *Live) OTLP(key UnitKey) (traces ptrace.Traces, ok bool) {
	traces = ptrace.NewTraces()
	if !l.open() {
		return traces, false
	}
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	u := l.judge.kept.byKey[orderKey{key.Form, key.Number}]
	if u == nil {
		return traces, false
	}
	if u.unsaved > 0 {
		u.held.CopyTo(traces)
	}
	return traces, true
}

// Line returns what the list of recent units says of one; ok is false when it is not, or no longer, kept.
func (l *Live) Line(key UnitKey) (line JourneyLine, ok bool) {
	if !l.open() {
		return line, false
	}
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	u := l.judge.kept.byKey[orderKey{key.Form, key.Number}]
	if u == nil {
		return line, false
	}
	return l.line(u), true
}
