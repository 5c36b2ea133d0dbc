package experiments

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// Curves over the time of a run, for plots.
const (
	underWay  = "orders under way"
	doneOver  = "share done, by when they were placed"
	waitsOver = "caller wait, by when they were placed"
)

// binned is the width of a point of a curve that is made of orders.
const binned = 250 * time.Millisecond

// overTime is what a curve over the time of a run has as its x axis.
const overTime = "time, s"

// underWay adds how many orders of a run were placed and are not done, over its time. Those that were refused are left out.
func (f *Figures) underWay(arm string, ran *Ran, form services.Form) error {
	completions, err := ran.Measure(form, Completion)
	if err != nil {
		return err
	}
	var changes []queueChange
	for i, o := range ran.Orders(form) {
		if o.Outcome == notPlaced || math.IsNaN(completions[i]) || math.IsInf(completions[i], 0) {
			continue
		}
		placed := o.Intended.UnixNano()
		changes = append(changes, queueChange{placed, 1}, queueChange{placed + int64(completions[i]*1e6), -1})
	}
	sortChanges(changes)
	at, orders := curveOf(changes, ran.began())
	f.Curve(arm, underWay, "orders", overTime, at, orders)
	return nil
}

func sortChanges(changes []queueChange) {
	slices.SortFunc(changes, func(a, b queueChange) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.by, a.by)) })
}

// overPlaced adds a figure of the orders that were placed in each stretch of the time of some runs.
func (f *Figures) overPlaced(arm, measure, unit string, runs []*Ran, form services.Form, of func([]rundir.Order) float64) {
	bins := map[int][]rundir.Order{}
	last := 0
	for _, ran := range runs {
		began := ran.began()
		for _, o := range ran.Orders(form) {
			if o.Outcome != notPlaced {
				bin := int(o.Intended.Sub(began) / binned)
				bins[bin], last = append(bins[bin], o), max(last, bin)
			}
		}
	}
	var at, values []float64
	for bin := range last + 1 {
		if len(bins[bin]) > 0 {
			at, values = append(at, (time.Duration(bin)*binned+binned/2).Seconds()), append(values, of(bins[bin]))
		}
	}
	f.Curve(arm, measure, unit, overTime, at, values)
}

// shareDone is which share of orders did not fail.
func shareDone(orders []rundir.Order) float64 {
	return 1 - float64(count(orders, Failed))/float64(len(orders))
}

// longestWait is the longest of the callers' waits, in milliseconds, of those who were answered.
func longestWait(orders []rundir.Order) float64 {
	longest := nan()
	for _, o := range orders {
		if wait := milliseconds(time.Duration(o.CallerWait)); o.Answered() && !(longest >= wait) {
			longest = wait
		}
	}
	return longest
}
