package lab

import (
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/services"
)

// ofRun picks the spans of a run and of the orders around it: its warm-up, and what looks for another rate. Of the spans
// that carry no run it picks the first ones, up to a budget in bytes: polls and commits serve several orders or none, and
// spans of a proxy carry no baggage.
func ofRun(run string, budget int64) func(ptrace.Span) bool {
	var size ptrace.ProtoMarshaler
	var ofNoRun atomic.Int64 // bytes
	return func(s ptrace.Span) bool {
		of, ok := s.Attributes().Get(services.KeyRun)
		if ok {
			return strings.HasPrefix(of.Str(), run)
		}
		bytes := int64(size.SpanSize(s))
		if ofNoRun.Add(bytes) <= budget {
			return true
		}
		ofNoRun.Add(-bytes) // a smaller one may have room
		return false
	}
}

// leftOut is how many spans came to the run's receiver and are not the run's.
func (r *running) leftOut() int {
	if r.env.receiver == nil {
		return 0
	}
	return int(r.env.receiver.Received().LeftOut)
}
