package experiments

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// What follows is shared by the claims whose orders meet in a queue: whole runs are their units.

// How many labs run side by side where δ is so large that it changes nothing. Those that wait for most of their time leave room for more.
const (
	atATime     = 3
	moreAtATime = 4
	mostAtATime = 5
)

// usualQueue is how many calls wait at a service before others are refused.
const usualQueue = 32

// paymentQueue bounds who works at payment, and what waits there: calls, or messages with the broker. A queue of 0 has no end.
func paymentQueue(flow *flows.Flow, workers, queue int) *flows.Flow {
	return WithRow(flow, chargeStep, func(row *flows.Row) { row.Workers, row.Queue = workers, queue })
}

// eachRun takes one value of each run of an arm.
func eachRun(runs []*Ran, of func(*Ran) (float64, error)) (Values, error) {
	values := make(Values, len(runs))
	for i, ran := range runs {
		var err error
		if values[i], err = of(ran); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// meanOf is the mean of the values that are kept: +Inf when one of them failed, NaN when none is known.
func meanOf(values []float64, keep func(i int) bool) float64 {
	sum, n := 0.0, 0
	for i, v := range values {
		if keep(i) && !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}

// quantileOf is a quantile of the values that are known and kept.
func quantileOf(values []float64, quantile float64, keep func(i int) bool) float64 {
	var kept []float64
	for i, v := range values {
		if keep(i) && !math.IsNaN(v) {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		return math.NaN()
	}
	slices.Sort(kept)
	return kept[min(len(kept)-1, int(math.Ceil(quantile*float64(len(kept))))-1)]
}

func everyOrder(int) bool { return true }

// Shares adds the share of hits in each run, and all of them together: orders of one run are not independent. The share of a run that was asked
// about no order is not known.
func (f *Figures) Shares(arm, measure string, runs []*Ran, of func(*Ran) (hits, of int)) {
	figure := Figure{Arm: arm, Measure: measure, Unit: "share", Per: PerRun}
	for _, ran := range runs {
		hits, n := of(ran)
		figure.Values = append(figure.Values, float64(hits)/float64(n))
		figure.Hits, figure.Of = figure.Hits+hits, figure.Of+n
	}
	*f = append(*f, figure)
}

// countOrders counts the orders that are asked about, and those of them that are so.
func countOrders(orders []rundir.Order, asked, is func(rundir.Order) bool) (hits, of int) {
	for _, o := range orders {
		if o.Outcome == notPlaced || !asked(o) {
			continue
		}
		of++
		if is(o) {
			hits++
		}
	}
	return hits, of
}

func anyOrder(rundir.Order) bool { return true }

// mean estimates a figure of an arm over its runs.
func (f Figures) mean(arm, measure string) (verdict.Estimate, error) {
	x, err := f.find(arm, measure)
	if err != nil {
		return verdict.Estimate{}, err
	}
	e, err := x.Estimate()
	if err != nil {
		return e, fmt.Errorf("%s of %s: %w", measure, arm, err)
	}
	return e, nil
}

// ratio estimates how many times a figure of one arm is that of the base, over paired runs.
func (f Figures) ratio(measure, base, other string) (verdict.Estimate, error) {
	pairs, err := f.Paired(measure, base, other)
	if err != nil {
		return verdict.Estimate{}, err
	}
	ratios := make([]float64, len(pairs[0]))
	for i := range ratios {
		ratios[i] = pairs[1][i] / pairs[0][i]
	}
	return verdict.Runs(ratios)
}

// gap estimates by how much a share of one arm exceeds that of the base: over paired runs, no narrower than that of all their orders.
func (f Figures) gap(measure, base, other string) (verdict.Estimate, error) {
	b, err := f.find(base, measure)
	if err != nil {
		return verdict.Estimate{}, err
	}
	o, err := f.find(other, measure)
	if err != nil {
		return verdict.Estimate{}, err
	}
	pairs, err := f.Paired(measure, base, other)
	if err != nil {
		return verdict.Estimate{}, err
	}
	paired, err := verdict.PairedRuns(pairs[0], pairs[1])
	if err != nil {
		return paired, fmt.Errorf("%s of %s and %s: %w", measure, base, other, err)
	}
	all, err := verdict.ShareDifference(b.Hits, b.Of, o.Hits, o.Of)
	return verdict.Wider(paired, all), err
}

// busyAt is how long a step of a form keeps a worker for each of n orders: the waiting that is drawn, what a step takes beyond it, and the
// acknowledgement of the message that a consumer sends when the step is done, for which its worker waits.
func busyAt(flow *flows.Flow, form services.Form, step services.Step, seed uint64, n int, k Constants) ([]time.Duration, error) {
	plan, err := flow.Plan(form)
	if err != nil {
		return nil, err
	}
	beyond := k.Step
	if byMessage(plan, step) {
		beyond += k.Ack
	}
	row, _ := flow.Row(step)
	costs := make([]time.Duration, n)
	for i := range costs {
		wait, _ := services.Experiment{Seed: seed, Number: i}.Cost(row)
		costs[i] = wait + beyond
	}
	return costs, nil
}

// byMessage tells whether a step is reached by a message.
func byMessage(plan *flows.Plan, step services.Step) bool {
	hop, ok := plan.Hop(step)
	return ok && hop.By.IsMessage()
}

// drawnHits tells which of n orders a fault is drawn for.
func drawnHits(flow *flows.Flow, text string, seed uint64, n int) ([]bool, error) {
	fault, err := services.ParseFault(flow, text)
	if err != nil {
		return nil, err
	}
	hits := make([]bool, n)
	for i := range hits {
		hits[i] = services.Experiment{Seed: seed, Number: i}.Hits(fault)
	}
	return hits, nil
}

// overSeeds is the mean of what a simulation says, over the seeds of a claim.
func overSeeds(size Size, of func(seed uint64) (float64, error)) (float64, error) {
	sum := 0.0
	for i := range size.Seeds {
		v, err := of(size.Seed + uint64(i))
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum / float64(size.Seeds), nil
}

// comingTo is when orders come to a step that takes so long to reach.
func comingTo(arrivals []time.Duration, way time.Duration) []time.Duration {
	list := make([]time.Duration, len(arrivals))
	for i, at := range arrivals {
		list[i] = at + way
	}
	return list
}

// simulated are the orders of a queue in front of payment, where a fault may add time to some. What comes by messages is fetched from the partitions
// of a topic: its keys are drawn by the service, so others stand for them.
func simulated(flow *flows.Flow, form services.Form, arrivals []time.Duration, workers, places int, seed uint64, k Constants, fault simulation.Fault) ([]simulation.Order, error) {
	costs, err := busyAt(flow, form, chargeStep, seed, len(arrivals), k)
	if err != nil {
		return nil, err
	}
	plan, err := flow.Plan(form)
	if err != nil {
		return nil, err
	}
	q := simulation.Queue{Arrivals: arrivals, Costs: costs, Workers: workers, Places: places, Fault: fault}
	if byMessage(plan, chargeStep) {
		q.Partitions, q.Seed = services.DefaultPartitions, seed
	}
	return q.Run()
}
