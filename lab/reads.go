package lab

import (
	"context"
	"slices"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// read asks, at times after the answer, whether an order that was accepted is completed. A question that nobody answers is left out.
func (l load) read(ctx context.Context, o rundir.Order) []rundir.Read {
	answered := time.Now()
	var reads []rundir.Read
	if !o.Answered() || o.ID == "" {
		return nil
	}
	for _, after := range slices.Sorted(slices.Values(l.reads)) {
		if !l.sleepUntil(ctx, answered.Add(after)) {
			break
		}
		var state services.State
		sent := time.Since(answered)
		if err := l.client.ask(ctx, l.flow.Path+"/"+o.ID, &state); err != nil {
			continue
		}
		reads = append(reads, rundir.Read{After: sent.Nanoseconds(), Done: state.Status == services.Completed})
	}
	return reads
}
