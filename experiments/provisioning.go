package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// The objective that workers are provisioned for.
const (
	objectiveWait   = time.Second // at the 99th percentile of completion
	objectiveErrors = 0.01
	mostProvisioned = 24
)

// provisionCost is what payment takes here: so much that the forms need numbers of workers that lie several apart. With the usual 18 ms grpc needs 4 and
// kafka 3, at the line: a consumer that fetches from several partitions does not keep the order of arrival, so its longest waits are longer than those of
// one queue.
const provisionCost = 100 * time.Millisecond

// The numbers of workers that decide: kafka's are enough, and grpc's, one more, are too few.
const (
	kafkaWorkers = 13
	grpcWorkers  = kafkaWorkers + 1
)

// provisionedWorkers are the numbers of workers that are tried: those that decide, and those between which the model has the least.
func provisionedWorkers(form services.Form) []int {
	if form == services.Kafka {
		return []int{kafkaWorkers - 1, kafkaWorkers}
	}
	return []int{grpcWorkers, 17, 18}
}

// Measures of what a number of workers does, and of how many are needed.
const (
	neededWorkers = "least payment workers, of those tried"
	objectiveMiss = "client errors"
)

// provisioning: how many workers a peak takes. Whole numbers of workers hardly scatter over a few runs, and so tell nothing of how sure they are: what
// decides is how far the objective is kept, with the numbers that the model draws the line between.
func provisioning() Claim {
	enough, tooFew := armOf(services.Kafka, kafkaWorkers), armOf(services.GRPC, grpcWorkers)
	return Claim{
		Name:      "provisioning",
		Statement: "sync must be provisioned for peaks",
		Rule:      "under a peak of five times the rate for 1 s, kafka needs fewer workers at payment, whose step takes 100 ms here, than grpc, by more than one: with 13 of them under 1 % of its orders get an error and the completion of the others stays under 1 s at p99, and with 14 grpc has at least 1 % of errors. grpc's queue has 32 places, kafka's no end",
		Delta:     Amount{1, "workers"}, Budget: 36 * time.Second, Size: Size{Orders: 280, Rate: 40, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "with fewer workers than are needed: an order that payment refused (queue_full)", Seen: wasRefused},
		Predict:   predictProvisioning,
		Measure:   measureProvisioning,
		Decide: func(f Figures) (Decision, error) {
			p99, err := f.mean(enough, peakP99)
			kafka, err2 := f.mean(enough, objectiveMiss)
			grpc, err3 := f.mean(tooFew, objectiveMiss)
			return Decision{Parts: []verdict.Part{
				{Name: fmt.Sprintf("kafka, %d workers: completion p99, ms", kafkaWorkers), Estimate: p99, Want: verdict.LessThan(milliseconds(objectiveWait))},
				{Name: fmt.Sprintf("kafka, %d workers: client errors", kafkaWorkers), Estimate: kafka, Want: verdict.LessThan(objectiveErrors)},
				{Name: fmt.Sprintf("grpc, %d workers: client errors", grpcWorkers), Estimate: grpc, Want: verdict.AtLeast(objectiveErrors)},
			}}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot { return f.bars("How many workers at payment does the peak take?", neededWorkers) },
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Queue = usualQueue })
		},
		Sabotages: []Sabotage{
			{Name: "kafka's queue has 32 places, too", Want: verdict.DoesNotHold, Change: func(c *lab.Config) {
				c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Queue = usualQueue })
			}},
			{Name: "grpc's queue has no end, either", Want: verdict.DoesNotHold, Change: func(c *lab.Config) {
				c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Queue = 0 })
			}},
		},
	}
}

// provisionFlow is the flow order with so many workers at a slow payment, and the usual queue of a form.
func provisionFlow(form services.Form, workers int) (flow *flows.Flow, places int) {
	queue := usualQueue
	if places = queue; form == services.Kafka {
		queue, places = 0, simulation.Unbounded
	}
	return WithRow(paymentQueue(flows.Order(), workers, queue), chargeStep, func(row *flows.Row) { row.Cost.Wait = provisionCost }), places
}

// predictProvisioning simulates the numbers of workers that decide, and searches for the least that are needed.
func predictProvisioning(size Size, k Constants) ([]Prediction, error) {
	var list []Prediction
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		workers := grpcWorkers
		if form == services.Kafka {
			workers = kafkaWorkers
		}
		needed, err := overSeeds(size, func(seed uint64) (float64, error) { return predictNeeded(form, size, seed, k) })
		if err != nil {
			return nil, err
		}
		flow, places := provisionFlow(form, workers)
		peak, err := predictPeakOf(flow, form, size, workers, places, k)
		if err != nil {
			return nil, err
		}
		arm := armOf(form, workers)
		list = append(list, Prediction{Arm: string(form), Measure: neededWorkers, Value: needed},
			Prediction{Arm: arm, Measure: peakP99, Value: peak.p99}, Prediction{Arm: arm, Measure: objectiveMiss, Value: peak.failed})
	}
	return list, nil
}

// predictNeeded is the least number of workers that keeps the objective in the simulation.
func predictNeeded(form services.Form, size Size, seed uint64, k Constants) (float64, error) {
	for n := 1; n <= mostProvisioned; n++ {
		flow, places := provisionFlow(form, n)
		p, err := simulatePeak(flow, form, size, seed, n, places, k)
		if err != nil {
			return 0, err
		}
		if p.failed < objectiveErrors && p.p99 < milliseconds(objectiveWait) {
			return float64(n), nil
		}
	}
	return 0, fmt.Errorf("%d workers are too few for %s", mostProvisioned, form)
}

// keepsObjective tells whether a run kept the objective.
func keepsObjective(ran *Ran, form services.Form) (bool, error) {
	failed, of := countOrders(ran.Orders(form), anyOrder, Failed)
	p99, err := p99Done(ran, form)
	return float64(failed) < objectiveErrors*float64(of) && p99 < milliseconds(objectiveWait), err
}

// measureProvisioning runs each form with the numbers of workers that are tried.
func measureProvisioning(ctx context.Context, l *Lab) (Figures, error) {
	forms := []services.Form{services.GRPC, services.Kafka}
	var arms []Arm
	for _, form := range forms {
		for _, n := range provisionedWorkers(form) {
			flow, _ := provisionFlow(form, n)
			arms = append(arms, Arm{Name: armOf(form, n), Config: peakOf(l.Config(flow, form))})
		}
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	for _, form := range forms {
		if err := f.objective(form, runs); err != nil {
			return nil, err
		}
	}
	return f, showRefused(l, runs[armOf(services.GRPC, grpcWorkers)][0])
}

// objective adds how far the numbers of workers keep the objective in a form, and the least that does in each run; NaN where none does.
func (f *Figures) objective(form services.Form, runs map[string][]*Ran) error {
	var least Values
	for _, workers := range provisionedWorkers(form) {
		arm := armOf(form, workers)
		f.Shares(arm, objectiveMiss, runs[arm], func(ran *Ran) (int, int) { return countOrders(ran.Orders(form), anyOrder, Failed) })
		p99, err := eachRun(runs[arm], func(ran *Ran) (float64, error) { return p99Done(ran, form) })
		if err != nil {
			return err
		}
		f.PerRun(arm, peakP99, "ms", p99)
		for i, ran := range runs[arm] {
			if len(least) <= i {
				least = append(least, math.NaN())
			}
			kept, err := keepsObjective(ran, form)
			if err != nil {
				return err
			}
			if kept && math.IsNaN(least[i]) {
				least[i] = float64(workers)
			}
		}
	}
	f.PerRun(string(form), neededWorkers, "workers", least)
	return nil
}

// showRefused shows an order of grpc that payment refused, if there is one.
func showRefused(l *Lab, ran *Ran) error {
	refused := numbersOf(ran.Orders(services.GRPC), unanswered)
	if len(refused) == 0 {
		return nil
	}
	return l.Show(ran, services.GRPC, refused...)
}
