package lab

import (
	"fmt"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/services"
)

// maxOwnerless is how many received spans without a run are kept: polls and commits serve several orders or none, and spans
// of a proxy carry no baggage.
const maxOwnerless = 50_000

// ofRun picks the spans of a run and of the orders around it (its warm-up, and what looks for another rate), and of those that carry no run the first maxOwnerless.
func ofRun(run string) func(ptrace.Span) bool {
	var ownerless atomic.Int64
	return func(s ptrace.Span) bool {
		of, ok := s.Attributes().Get(services.KeyRun)
		if ok {
			return strings.HasPrefix(of.Str(), run)
		}
		return ownerless.Add(1) <= maxOwnerless
	}
}

// countReceived notes the spans that came and are not kept.
func (r *running) countReceived(result *Result) {
	if r.env.receiver == nil {
		return
	}
	received := r.env.receiver.Received()
	if received.LeftOut > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d spans of no order of this run came and were left out", received.LeftOut))
	}
	if received.Refused > 0 {
		result.Problems = append(result.Problems, fmt.Sprintf("%d spans were refused: %d MB are kept, all that the memory of this process allows (GOMEMLIMIT, or its container's)",
			received.Refused, received.Bytes>>20))
	}
}
