package tracecontext

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Reason says why something was refused.
type Reason uint8

// The reasons. Those of traceparent drop the whole context. Those of tracestate
// drop the whole tracestate, except TracestateDuplicate. Those of baggage drop
// the members that they name.
const (
	TraceparentDoubled   Reason = iota // more than one traceparent
	TraceparentMalformed               // wrong length, wrong dashes, not lower-case hex
	TraceparentVersion                 // version ff, or one that is not two hex digits
	TraceparentZero                    // the trace id or the parent id is zero
	TracestateMalformed                // a member that is not key=value as level 2 has it
	TracestateMembers                  // more than 32 members
	TracestateDuplicate                // a key again: the first of its members is kept; counted once a header
	BaggageMember                      // one member that is not key=value;properties: dropped, the others kept
	BaggageMembers                     // members beyond 64: the first 64 are kept
	BaggageBytes                       // members beyond 8192 bytes: those before are kept
	reasons
	noReason = reasons // nothing was refused
)

var reasonNames = [reasons]string{
	"traceparent_doubled", "traceparent_malformed", "traceparent_version", "traceparent_zero",
	"tracestate_malformed", "tracestate_members", "tracestate_duplicate",
	"baggage_member", "baggage_members", "baggage_bytes",
}

// String returns the reason as one word, as in logs.
func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return "unknown"
}

// logEvery is the shortest time between two log records.
const logEvery = time.Minute

// Refusals counts what was refused. The zero value is ready; a nil *Refusals
// counts nothing.
type Refusals struct {
	counts [reasons]atomic.Uint64
	logger *slog.Logger

	mu     sync.Mutex
	logged time.Time       // when the last record was written
	before [reasons]uint64 // the counts at that time
}

// Count returns how often something was refused for this reason.
func (r *Refusals) Count(reason Reason) uint64 {
	if r == nil || reason >= reasons {
		return 0
	}
	return r.counts[reason].Load()
}

// Counts returns the counts that are not zero, by the reason's name.
func (r *Refusals) Counts() map[string]uint64 {
	counts := map[string]uint64{}
	for reason := range reasons {
		if n := r.Count(reason); n > 0 {
			counts[reason.String()] = n
		}
	}
	return counts
}

func (r *Refusals) add(reason Reason) {
	if r == nil {
		return
	}
	r.counts[reason].Add(1)
	if r.logger != nil {
		r.log()
	}
}

// log logs what was refused since the last record. If that was less than a
// minute ago, it leaves this to the next refusal after the minute.
func (r *Refusals) log() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !r.logged.IsZero() && now.Sub(r.logged) < logEvery {
		return
	}
	r.logged = now
	var attrs []any
	for reason := range reasons {
		if n := r.counts[reason].Load(); n > r.before[reason] {
			attrs = append(attrs, slog.Uint64(reason.String(), n-r.before[reason]))
			r.before[reason] = n
		}
	}
	if len(attrs) > 0 {
		r.logger.Warn("refused trace context or baggage", attrs...)
	}
}
