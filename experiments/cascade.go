package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// What hangs, from when on, and what stands in front of it.
const (
	hangFault       = "payment:hang=2s,from=500ms"
	hangFrom        = 500 * time.Millisecond
	hangs           = 2 * time.Second
	cascadeWorkers  = 4
	cascadePlaces   = 4
	cascadeDeadline = time.Second
	cascadeBulkhead = 1
	// breakerTimeout is less than the client's time: a call that the client itself ends tells a breaker nothing.
	breakerTimeout = 900 * time.Millisecond
	// hungWorkers at payment are more than there are orders: what hangs does not queue there.
	hungWorkers = 500
)

// Measures of a cascade.
const (
	othersFail = "orders that need no payment and fail"
)

// cascadeBreaker opens when 5 of the last 10 calls have failed, for a second.
func cascadeBreaker() *flows.Breaker { return &flows.Breaker{Share: 0.5, Of: 10, Open: time.Second} }

// cascadeFlow is the flow order with an entry that has few workers, of whose orders one half needs payment.
func cascadeFlow() *flows.Flow {
	flow := flows.Order()
	flow = WithRow(flow, flow.Entry(), func(row *flows.Row) { row.Workers, row.Queue = cascadeWorkers, cascadePlaces })
	return WithRow(flow, chargeStep, func(row *flows.Row) { row.Share = 0.5 })
}

// cascadeArm is one way to meet a service that hangs.
type cascadeArm struct {
	name  string
	form  services.Form
	guard func(*flows.Row)
	model func(*simulation.Cascade)
}

func cascadeArms() []cascadeArm {
	return []cascadeArm{
		{"grpc", services.GRPC, func(*flows.Row) {}, func(*simulation.Cascade) {}},
		{"grpc, bulkhead", services.GRPC, func(row *flows.Row) { row.Bulkhead = cascadeBulkhead }, func(c *simulation.Cascade) { c.Bulkhead = cascadeBulkhead }},
		{"grpc, breaker", services.GRPC, func(row *flows.Row) { row.Breaker, row.Timeout = cascadeBreaker(), breakerTimeout }, func(c *simulation.Cascade) {
			c.Breaker = simulation.Breaker{Failures: 5, Open: time.Second}
		}},
		{"kafka", services.Kafka, func(*flows.Row) {}, func(c *simulation.Cascade) { c.Messages = true }},
	}
}

// cascade: whether a service that hangs takes orders with it that do not need it.
func cascade() Claim {
	return Claim{
		Name:      "cascade",
		Statement: "a failing service takes the others with it",
		Rule:      "of the orders that never need the service that hangs, at least 50 % fail in grpc, and at most 5 % in grpc with a bulkhead in front of it and in kafka. A breaker alone is shown beside",
		Delta:     Amount{0.05, "share"}, Budget: 23 * time.Second, Size: Size{Orders: 240, Rate: 80, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "an order without payment that was refused at the entry, because all workers there wait for payment", Seen: refusedAtEntry},
		Predict:   predictCascade,
		Measure:   measureCascade,
		Decide: func(f Figures) (Decision, error) {
			plain, err := f.mean("grpc", othersFail)
			bulkhead, err2 := f.mean("grpc, bulkhead", othersFail)
			kafka, err3 := f.mean("kafka", othersFail)
			breaker, err4 := f.mean("grpc, breaker", othersFail)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc, others fail", Estimate: plain, Want: verdict.AtLeast(0.5)},
				{Name: "grpc with a bulkhead, others fail", Estimate: bulkhead, Want: verdict.AtMost(0.05)},
				{Name: "kafka, others fail", Estimate: kafka, Want: verdict.AtMost(0.05)},
			}, Beside: []verdict.Part{{Name: "grpc with a breaker, others fail", Estimate: breaker}}}, errors.Join(err, err2, err3, err4)
		},
		Draw: func(f Figures) Plot {
			return f.bars("Which share of the orders that need no payment fails?", othersFail)
		},
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Bulkhead, row.Breaker, row.Timeout = 0, nil, 0 })
		},
		Sabotages: []Sabotage{
			{Name: "nothing hangs", Change: func(c *lab.Config) { c.Faults = nil }, Want: verdict.DoesNotHold},
			{Name: "the bulkhead has room for all", Change: func(c *lab.Config) {
				c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Bulkhead = min(row.Bulkhead, 1) * 500 })
			}, Want: verdict.DoesNotHold},
		},
	}
}

// needsPayment tells which orders of a run do.
func needsPayment(flow *flows.Flow, seed uint64, number int) bool {
	return len(services.Experiment{Seed: seed, Number: number}.Skipped(flow, nil)) == 0
}

func measureCascade(ctx context.Context, l *Lab) (Figures, error) {
	flow := cascadeFlow()
	hang, err := parseFaults(flow, hangFault)
	if err != nil {
		return nil, err
	}
	var arms []Arm
	for _, arm := range cascadeArms() {
		config := l.Config(WithRow(flow, chargeStep, arm.guard), arm.form)
		config.Faults, config.Timeout, config.WorkersOf = hang, cascadeDeadline, map[string]int{chargeStep.Service(): hungWorkers}
		arms = append(arms, Arm{Name: arm.name, Config: config})
	}
	runs, err := l.Repeat(ctx, mostAtATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	// Orders that are under way when payment begins to hang end like those that come later.
	before := waitsOf(runs["grpc"], services.GRPC, hangFrom-100*time.Millisecond)
	l.Steady(before)
	for _, arm := range cascadeArms() {
		f.Shares(arm.name, othersFail, runs[arm.name], func(ran *Ran) (int, int) {
			orders := ran.Orders(arm.form)
			during := ran.startedIn(hangFrom, simulation.Forever)
			others := func(o rundir.Order) bool { return during(o) && !needsPayment(flow, ran.Config.Seed, o.Number) }
			return countOrders(orders, others, Failed)
		})
	}
	first := runs["grpc"][0]
	refused := numbersOf(first.Orders(services.GRPC), func(o rundir.Order) bool {
		return unanswered(o) && !needsPayment(flow, first.Config.Seed, o.Number)
	})
	return f, l.Show(first, services.GRPC, refused...)
}

// predictCascade simulates the entry's workers, with what the steps behind it take.
func predictCascade(size Size, k Constants) ([]Prediction, error) {
	flow := cascadeFlow()
	var list []Prediction
	for _, arm := range cascadeArms() {
		share, err := overSeeds(size, func(seed uint64) (float64, error) {
			n := size.Orders - int(hangFrom.Seconds()*size.Rate)
			c := simulation.Cascade{Arrivals: simulation.Evenly(size.Rate, n), Workers: cascadeWorkers, Places: cascadePlaces, Hang: hangs, Deadline: cascadeDeadline}
			for i := range n {
				number := i + size.Orders - n
				needs := needsPayment(flow, seed, number)
				busy, err := entryBusy(flow, arm.form, seed, number, k)
				if err != nil {
					return 0, err
				}
				c.Needs, c.Costs = append(c.Needs, needs), append(c.Costs, busy)
			}
			arm.model(&c)
			orders, err := c.Run()
			var failed, others float64
			for i, o := range orders {
				if !c.Needs[i] {
					if others++; simulation.Failed(o) {
						failed++
					}
				}
			}
			return failed / others, err
		})
		if err != nil {
			return nil, err
		}
		list = append(list, Prediction{Arm: arm.name, Measure: othersFail, Value: share})
	}
	return list, nil
}

// entryBusy is how long an order that needs no payment keeps a worker of the entry.
func entryBusy(flow *flows.Flow, form services.Form, seed uint64, number int, k Constants) (time.Duration, error) {
	plan, err := flow.Plan(form, chargeStep)
	if err != nil {
		return 0, err
	}
	times, err := pathOf(flow, plan, plan.Hops, seed, number, k).Predict(k.Constants)
	return times.Wait - k.Front, err
}

// refusedAtEntry tells whether the entry did not take an order.
func refusedAtEntry(j *journey.Journey) error {
	set := j.Set()
	for _, i := range j.Spans() {
		if _, ok := set.Span(i).Attr(services.KeyStep); ok {
			return errors.New("a step was done")
		}
	}
	for _, i := range j.Spans() {
		if _, ok := set.Span(i).Attr("tracelab.refused"); ok {
			return nil
		}
	}
	return fmt.Errorf("nobody refused it")
}
