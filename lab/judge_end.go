package lab

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// conclude judges every order that was placed with what its own state says, and tells how many journeys are not complete.
func (j *judge) conclude() (incomplete int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.placed {
		j.concludeOne(r)
		if r.Incomplete != "" {
			incomplete++
		}
	}
	return incomplete, j.err
}

// concludeOne judges an order with what its own state says.
func (j *judge) concludeOne(r *record) {
	if why := j.notFinal(r); why != "" {
		r.Incomplete, r.dirty = why, true
	} else if r.dirty || !r.complete && r.Incomplete == "" {
		j.examine(r, j.expect.of(r.key, r.orderState))
	} else if r.complete {
		r.Incomplete = ""
	}
}

// unended is why a journey is incomplete while a span of it is open.
const unended = "a span has not ended"

// notFinal says why an order's journey cannot be complete yet, whatever its spans are, or "".
func (j *judge) notFinal(r *record) string {
	switch {
	case j.open.open(r.key) > 0:
		return unended
	case r.status == services.Accepted:
		return fmt.Sprintf("the %s is pending", j.unit)
	}
	return ""
}

// allIncomplete tells whether there is a reason for each journey that is not complete, and no span of it is open.
func (j *judge) allIncomplete(reason func(*record) string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.placed {
		if r.Incomplete != "" && (j.open.open(r.key) > 0 || reason(r) == "") {
			return false
		}
	}
	return true
}

// earliestIncomplete is when the first of the orders whose journeys are not complete was to begin.
func (j *judge) earliestIncomplete() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := time.Now()
	for _, r := range j.placed {
		if (!r.complete || r.Incomplete != "") && r.Intended.Before(first) {
			first = r.Intended
		}
	}
	return first
}

// finish takes the spans that came after the verdicts into the figures of their orders, where the journey is still whole,
// and writes what is held. No more spans are taken after it.
func (j *judge) finish() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.placed {
		if r.dirty && r.values != nil && r.Incomplete == "" {
			if found, why := j.journey(r); why == "" {
				r.measure(found)
			}
			r.complete, r.dirty = true, false
		}
	}
	for _, list := range j.records {
		for _, r := range list {
			if r == nil {
				continue
			}
			if r.spans > 0 && !r.complete {
				j.keepError(j.countTraces(r))
			}
			j.keepError(j.save(r))
		}
	}
	j.keepError(j.shared.write(j.out))
	j.finished = true
	return j.err
}

// orders lists the orders that were placed, in the order in which they were to be.
func (j *judge) orders() iter.Seq[rundir.Order] {
	slices.SortStableFunc(j.placed, func(a, b *record) int {
		return cmp.Or(a.Intended.Compare(b.Intended), cmp.Compare(a.Number, b.Number))
	})
	return func(yield func(rundir.Order) bool) {
		for _, r := range j.placed {
			o := r.Order
			o.Trace, o.Outcome = r.root.Trace.String(), r.outcome()
			if !yield(o) {
				return
			}
		}
	}
}
