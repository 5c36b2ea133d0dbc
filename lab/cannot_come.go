package lab

import (
	"fmt"
	"slices"

	"tracelab/services"
	"tracelab/services/faults"
)

// cannotCome says why spans that a journey lacks will never come, or "" when they still may: their service was killed with them, or a fault
// keeps them from saying of which order they are. It knows this of services in this process only: spans of others may wait in a Collector or a store
// for longer than anybody here can tell, and messages in brokers that the run does not know.
func (r *running) cannotCome(o *record) string {
	if r.env.system == nil {
		return ""
	}
	if o.status == services.Accepted {
		if a := r.after.Forms[o.key.form]; a.Pending == a.Lost {
			return "nobody carries on with it"
		}
		return ""
	}
	if r.judge.open.lostSpan(o.key) {
		return "a span was lost with a service that was killed"
	}
	return r.contextFault(o)
}

// tellOfWaiting says that a run against services elsewhere waited until its deadline for journeys of which what was done explains that they are
// incomplete: in this process it would have ended before.
func (r *running) tellOfWaiting(result *Result) {
	incomplete := 0
	for _, f := range result.Forms {
		incomplete += f.Incomplete
	}
	if r.Target == "" || !r.waited || incomplete == 0 || !r.judge.allIncomplete(r.explainsEnd) {
		return
	}
	result.Explained = append(result.Explained, fmt.Sprintf("the run waited its whole deadline of %v for what the incomplete journeys lack: whether spans of services elsewhere, or messages in their broker, are still on their way cannot be seen from here (a shorter --deadline waits less)", r.Deadline))
}

// whySpansLack says what the fault of this name does to the spans of an order, or "" for a kind that loses none and for an event.
func (r *running) whySpansLack(name string) string {
	i := slices.IndexFunc(r.Faults, func(f faults.Fault) bool { return "fault "+f.String() == name })
	if i < 0 {
		return ""
	}
	f := r.Faults[i]
	switch f.Kind {
	case faults.DropContext:
		return fmt.Sprintf("what %s sends has no trace context, so the services behind it begin traces of their own", f.Service)
	case faults.DropBaggage:
		return fmt.Sprintf("what %s sends has no baggage, so the spans of the services behind it do not say whose they are", f.Service)
	case faults.DoubleTraceparent:
		return fmt.Sprintf("what %s sends names two parents, and one of them does not exist", f.Service)
	case faults.Unsample:
		return fmt.Sprintf("what %s sends says that the trace is not sampled, so the services behind it make no spans", f.Service)
	case faults.Crash:
		return fmt.Sprintf("spans that were open in %s when it crashed are lost with it", f.Service)
	}
	return ""
}
