package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// What is slow, for whom, and how many work there.
const (
	slowFault   = "payment:delay=200ms@0.5"
	slowBy      = 200 * time.Millisecond
	slowWorkers = 8
)

// Measures of who is slowed down, in the orders that the fault does not hit.
const (
	addedWait       = "added to the wait"
	addedCompletion = "added to completion"
	calmWait        = "caller wait without the fault"
)

// slowService: what a slow service does to orders that are not slow themselves.
func slowService() Claim {
	const delta = 20 // ms
	calmArm := func(form services.Form) string { return string(form) + ", calm" }
	return Claim{
		Name:      "slow-service",
		Statement: "one slow service slows everything in front of it",
		Rule:      "orders that the delay does not hit take longer than the same orders without it by more than δ: their caller's wait in grpc, and their completion in kafka, whose caller does not wait for it by definition",
		Delta:     Amount{delta, "ms"}, Budget: 25 * time.Second, Size: Size{Orders: 200, Rate: 100, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "time between the start of payment's server span and that of payment.Charge in it: the order waits for a worker, and was not slow itself", Seen: waitsForWorker},
		Predict:   predictSlow,
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow := paymentQueue(flows.Order(), slowWorkers, 0)
			hits, err := parseFaults(flow, slowFault)
			if err != nil {
				return nil, err
			}
			forms := []services.Form{services.GRPC, services.Kafka}
			var arms []Arm
			for _, form := range forms {
				calm := l.Config(flow, form)
				slow := calm
				slow.Faults = hits
				arms = append(arms, Arm{Name: calmArm(form), Config: calm}, Arm{Name: string(form), Config: slow})
			}
			runs, err := l.Repeat(ctx, atATime, arms...)
			if err != nil {
				return nil, err
			}
			var f Figures
			waits, err := eachRun(runs[calmArm(services.GRPC)], func(ran *Ran) (float64, error) {
				waits, err := ran.Measure(services.GRPC, Wait)
				return middle(Values(waits).known()), err
			})
			if err != nil {
				return nil, err
			}
			f.PerRun(string(services.GRPC), calmWait, "ms", waits)
			for _, form := range forms {
				for _, m := range [][2]string{{Wait, addedWait}, {Completion, addedCompletion}} {
					added, err := addedToOthers(runs[calmArm(form)], runs[string(form)], form, m[0])
					if err != nil {
						return nil, err
					}
					f.PerRun(string(form), m[1], "ms", added)
				}
			}
			for _, arm := range arms {
				if err := f.underWay(arm.Name, runs[arm.Name][0], arm.Config.Forms[0]); err != nil {
					return nil, err
				}
			}
			before := waitsOf(runs[calmArm(services.GRPC)], services.GRPC, simulation.Forever)
			l.Steady(before)
			first := runs[string(services.GRPC)][0]
			others := numbersOf(first.Orders(services.GRPC), spared)
			return f, l.Show(first, services.GRPC, others...)
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.mean("grpc", addedWait)
			kafka, err2 := f.mean("kafka", addedCompletion)
			early, err3 := f.mean("kafka", addedWait)
			gap, err4 := f.Difference(addedCompletion, "grpc", "kafka")
			return Decision{Parts: []verdict.Part{
				{Name: "grpc, added to the wait, ms", Estimate: grpc, Want: verdict.MoreThan(delta)},
				{Name: "kafka, added to completion, ms", Estimate: kafka, Want: verdict.MoreThan(delta)},
			}, Beside: []verdict.Part{
				{Name: "kafka, added to the wait, ms", Estimate: early}, {Name: "completion, kafka less grpc, ms", Estimate: gap},
			}}, errors.Join(err, err2, err3, err4)
		},
		Draw: func(f Figures) Plot {
			p := Plot{Title: "How many orders are under way, in the first run?", X: overTime, Y: "orders", Lines: f.curves(underWay)}
			for i, l := range p.Lines {
				p.Lines[i].Dashed = l.Name != l.Form // the calm runs
			}
			return p
		},
		Alike: func(c *lab.Config) { c.Faults = nil },
		Sabotages: []Sabotage{
			{Name: "nothing is slow", Change: func(c *lab.Config) { c.Faults = nil }, Want: verdict.DoesNotHold},
			{Name: "payment has workers for all", Change: func(c *lab.Config) { c.Flow = paymentQueue(c.Flow, 500, 0) }, Want: verdict.DoesNotHold},
		},
	}
}

// addedToOthers is by how much the orders that no fault hits exceed the same orders of a run without it, on average, for each pair of runs.
func addedToOthers(calm, slow []*Ran, form services.Form, measure string) (Values, error) {
	added := make(Values, len(slow))
	for i := range slow {
		base, err := calm[i].Measure(form, measure)
		if err != nil {
			return nil, err
		}
		other, err := slow[i].Measure(form, measure)
		if err != nil {
			return nil, err
		}
		for n := range other {
			other[n] -= base[n]
		}
		orders := slow[i].Orders(form)
		added[i] = meanOf(other, func(n int) bool { return len(orders[n].Hit) == 0 })
	}
	return added, nil
}

// predictSlow simulates the queue in front of payment with the costs and hits that the seeds draw.
func predictSlow(size Size, k Constants) ([]Prediction, error) {
	flow := flows.Order()
	list := []Prediction{{Arm: "kafka", Measure: addedWait, Value: 0}}
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		added, err := overSeeds(size, func(seed uint64) (float64, error) { return predictAdded(flow, form, size, seed, k) })
		if err != nil {
			return nil, err
		}
		list = append(list, Prediction{Arm: string(form), Measure: addedCompletion, Value: added})
		if form == services.GRPC {
			list = append(list, Prediction{Arm: string(form), Measure: addedWait, Value: added})
		}
	}
	wait, err := overSeeds(size, func(seed uint64) (float64, error) {
		size.Seed = seed
		wait, _, err := predictTimes(flow, services.GRPC, size, k)
		return wait, err
	})
	return append(list, Prediction{Arm: "grpc", Measure: calmWait, Value: wait, Gate: true}), err
}

// predictAdded is by how much the orders that the fault does not hit take longer with it, on average.
func predictAdded(flow *flows.Flow, form services.Form, size Size, seed uint64, k Constants) (float64, error) {
	hits, err := drawnHits(flow, slowFault, seed, size.Orders)
	if err != nil {
		return 0, err
	}
	arrivals := simulation.Evenly(size.Rate, size.Orders)
	calm, err := simulated(flow, form, arrivals, slowWorkers, simulation.Unbounded, seed, k, nil)
	if err != nil {
		return 0, err
	}
	slow, err := simulated(flow, form, arrivals, slowWorkers, simulation.Unbounded, seed, k, simulation.Slow(0, simulation.Forever, slowBy, hits))
	differences := make([]float64, len(slow))
	for i := range slow {
		differences[i] = slow[i].Response() - calm[i].Response()
	}
	return meanOf(differences, func(i int) bool { return !hits[i] }), err
}

// waitsForWorker tells whether a call stood in payment before its step began, for longer than a step takes.
func waitsForWorker(j *journey.Journey) error { return waitsAt(j, chargeStep, 20*time.Millisecond) }
