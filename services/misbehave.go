package services

import (
	"context"
	"math"
	"time"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
)

// misbehave acts on the experiment's faults in this service, to the share of the orders that they hit: drawn
// from seed, order number, service and kind, so they hit the same orders in every form.
func (n *node) misbehave(ctx context.Context, e Experiment) error {
	for _, f := range e.Faults {
		if f.Service != n.name || !f.ActsOnSteps() || f.Kind == faults.Crash || !e.acts(ctx, f) {
			continue
		}
		n.fired.note(e, f)
		if err := f.Act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// acts tells whether a fault acts on this order now.
func (e Experiment) acts(ctx context.Context, f faults.Fault) bool {
	if f.Timed() && e.Start.IsZero() {
		return false
	}
	return f.ActsAt(time.Since(e.Start), carrier.AttemptOf(ctx)) && e.Hits(f)
}

const (
	// blockOrders is how many orders a block of a share has.
	blockOrders = 10
	// shareUnits make a share of 1. Counting in whole units keeps rounding errors from adding up.
	shareUnits = 1_000_000_000
)

// Hits tells whether a fault hits this order, in the part of the run in which it acts. A share hits exactly its part of all orders: of each ten
// in a row as many as come next to it (0.75: 7 or 8, 15 of each twenty), drawn anew for each ten.
func (e Experiment) Hits(f faults.Fault) bool {
	if f.Share >= 1 {
		return true
	}
	block, place := e.Number/blockOrders, e.Number%blockOrders
	share := uint64(max(1, math.Round(f.Share*shareUnits)))
	carried := draw(e.Seed, 0, "fault", f.Service, f.Kind, "share").Uint64N(shareUnits) // or the first block would always round down
	until := func(block int) uint64 { return (uint64(block)*blockOrders*share + carried) / shareUnits }
	first := block % shareUnits // after so many blocks it begins anew, so the products stay below 2⁶⁴
	hits := until(first+1) - until(first)
	return draw(e.Seed, block, "fault", f.Service, f.Kind).Perm(blockOrders)[place] < int(hits)
}
