package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// What triggers the storm, how calls are made, and which orders tell what is left of it.
const (
	triggerFault  = "payment:delay=200ms,from=1s,to=3s"
	triggerFrom   = time.Second
	triggerEnds   = 3 * time.Second
	triggerBy     = 200 * time.Millisecond
	stormFrom     = triggerEnds + 500*time.Millisecond // what came during the trigger has given up by then
	stormDeadline = 100 * time.Millisecond
	stormRetries  = 3
	stormBackoff  = 50 * time.Millisecond
	stormBudget   = 0.1
	stormWorkers  = 2
)

// Measures of a storm.
const (
	goodput    = "orders done, placed after the trigger"
	stormDrain = "completion p99, placed after the trigger"
)

// stormArm is one way to try again.
type stormArm struct {
	name   string
	form   services.Form
	budget float64 // 1: none
}

func stormArms() []stormArm {
	return []stormArm{{"grpc, no budget", services.GRPC, 1}, {"grpc, budget of 10 %", services.GRPC, stormBudget}, {"kafka", services.Kafka, 1}}
}

// retryStorm: whether a system recovers when what overloaded it is gone.
func retryStorm() Claim {
	return Claim{
		Name:      "retry-storm",
		Statement: "clients of sync must retry, and that is fine",
		Rule:      "payment is slow for 2 s. Of the orders that are placed from half a second after that, for 5 s, at least 90 % are done in grpc where calls that take over 100 ms are tried again up to 3 times",
		Delta:     Amount{0.1, "share"}, Budget: 40 * time.Second, Size: Size{Orders: 680, Rate: 80, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "an order placed after the trigger: one attempt at payment behind the other, each linked to the one before, and none done", Seen: stormed},
		Predict:   predictStorm,
		Measure:   measureStorm,
		Decide: func(f Figures) (Decision, error) {
			plain, err := f.mean("grpc, no budget", goodput)
			budget, err2 := f.mean("grpc, budget of 10 %", goodput)
			kafka, err3 := f.mean("kafka", goodput)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc without a budget, done", Estimate: plain, Want: verdict.AtLeast(0.9)},
			}, Beside: []verdict.Part{
				{Name: "grpc with a budget of 10 %, done", Estimate: budget, Want: verdict.AtLeast(0.9)},
				{Name: "kafka, done", Estimate: kafka, Want: verdict.AtLeast(0.9)},
			}}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot {
			return Plot{
				Title: "Which share of the orders is done, placed before, during and after the trigger?", X: overTime, Y: "share", Lines: f.curves(doneOver),
				Marks: []Mark{{At: triggerFrom.Seconds(), Vertical: true, Label: "payment is slow between them"}, {At: triggerEnds.Seconds(), Vertical: true}},
			}
		},
		Alike: func(c *lab.Config) { c.Flow = stormFlow(c.Flow, 1) },
		Sabotages: []Sabotage{
			{Name: "nothing triggers it", Change: func(c *lab.Config) { c.Faults = nil }, Want: verdict.Holds},
			{Name: "all have a budget", Change: func(c *lab.Config) { c.Flow = stormFlow(c.Flow, stormBudget) }, Want: verdict.Holds},
		},
	}
}

// stormFlow tries calls to payment again within a budget.
func stormFlow(flow *flows.Flow, budget float64) *flows.Flow {
	return WithRow(flow, chargeStep, func(row *flows.Row) {
		row.Workers, row.Timeout, row.Budget = stormWorkers, stormDeadline, budget
		row.Retry = flows.Retry{Times: stormRetries, Within: 2 * time.Second, Backoff: stormBackoff}
	})
}

func measureStorm(ctx context.Context, l *Lab) (Figures, error) {
	trigger, err := parseFaults(flows.Order(), triggerFault)
	if err != nil {
		return nil, err
	}
	var arms []Arm
	for _, arm := range stormArms() {
		config := l.Config(stormFlow(flows.Order(), arm.budget), arm.form)
		config.Faults, config.Deadline = trigger, 30*time.Second
		arms = append(arms, Arm{Name: arm.name, Config: config})
	}
	runs, err := l.Repeat(ctx, moreAtATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	before := waitsOf(runs["grpc, no budget"], services.GRPC, triggerFrom-100*time.Millisecond)
	l.Steady(before)
	for _, arm := range stormArms() {
		if err := stormFigures(&f, arm, runs[arm.name]); err != nil {
			return nil, err
		}
	}
	first := runs["grpc, no budget"][0]
	failed := numbersOf(first.between(services.GRPC, stormFrom, simulation.Forever), Failed)
	if len(failed) == 0 { // there was no storm, so no trace shows one
		return f, nil
	}
	return f, l.Show(first, services.GRPC, failed...)
}

// stormFigures adds what is left of the storm in one arm.
func stormFigures(f *Figures, arm stormArm, runs []*Ran) error {
	f.Shares(arm.name, goodput, runs, func(ran *Ran) (int, int) {
		return countOrders(ran.Orders(arm.form), ran.startedIn(stormFrom, simulation.Forever), func(o rundir.Order) bool { return !Failed(o) })
	})
	p99, err := eachRun(runs, func(ran *Ran) (float64, error) {
		values, err := ran.Measure(arm.form, Completion)
		after := ran.startedIn(stormFrom, simulation.Forever)
		return quantileOf(values, 0.99, func(i int) bool { return after(ran.Orders(arm.form)[i]) }), err
	})
	if err != nil {
		return err
	}
	f.PerRun(arm.name, stormDrain, "ms", p99)
	f.overPlaced(arm.name, doneOver, "share", runs, arm.form, shareDone)
	return nil
}

// predictStorm simulates payment, its callers who give up, and their retries.
func predictStorm(size Size, k Constants) ([]Prediction, error) {
	flow := flows.Order()
	way := k.Front + k.Hop // and two short steps, which change nothing
	var list []Prediction
	for _, arm := range stormArms() {
		done, err := overSeeds(size, func(seed uint64) (float64, error) {
			arrivals := comingTo(simulation.Evenly(size.Rate, size.Orders), way)
			slow := simulation.Slow(triggerFrom, triggerEnds, triggerBy, simulation.Hits(seed, 1, size.Orders))
			after := func(orders []simulation.Order) float64 {
				return 1 - simulation.Share(orders, stormFrom+way, simulation.Forever, simulation.Failed)
			}
			if arm.form == services.Kafka {
				orders, err := simulated(flow, arm.form, arrivals, stormWorkers, simulation.Unbounded, seed, k, slow)
				return after(orders), err
			}
			costs, err := busyAt(flow, arm.form, chargeStep, seed, size.Orders, k)
			if err != nil {
				return 0, err
			}
			s := simulation.Storm{
				Arrivals: arrivals, Costs: costs, Workers: stormWorkers, Places: simulation.Unbounded, Fault: slow,
				Deadline: stormDeadline, Retries: stormRetries, Backoff: stormBackoff, Cancel: true, Seed: seed,
			}
			if arm.budget < 1 {
				s.Budget = arm.budget
			}
			r, err := s.Run()
			return after(r.Orders), err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, Prediction{Arm: arm.name, Measure: goodput, Value: done})
	}
	return list, nil
}

// stormed tells whether payment was called again and again for nothing.
func stormed(j *journey.Journey) error {
	set := j.Set()
	attempts := map[journey.SpanID]bool{}
	for _, i := range j.Spans() {
		if span := set.Span(i); span.Kind == journey.KindClient && set.Failed(i) {
			attempts[span.ID] = true
		}
	}
	linked := 0
	for _, i := range j.Spans() {
		span := set.Span(i)
		if attempts[span.ID] && slices.ContainsFunc(span.Links, func(l journey.Link) bool { return attempts[l.Span] }) {
			linked++
		}
	}
	switch {
	case linked == 0:
		return fmt.Errorf("of %d calls that failed none is linked to the one before", len(attempts))
	case stepsDone(j, chargeStep) > 0:
		return fmt.Errorf("%s was done", chargeStep)
	}
	return nil
}
