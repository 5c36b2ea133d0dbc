package experiments

import (
	"context"
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
	mostProvisioned = 6
)

// Measures of what a number of workers does, and of how many are needed.
const (
	neededWorkers = "least payment workers"
	objectiveMiss = "client errors"
)

// provisioning: how many workers a peak takes.
func provisioning() Claim {
	forms := []services.Form{services.GRPC, services.Kafka}
	return Claim{
		Name:      "provisioning",
		Statement: "sync must be provisioned for peaks",
		Rule:      "under a peak of five times the rate for 1 s, kafka needs fewer workers at payment than grpc, by more than one, so that under 1 % of the orders get an error and the completion of the others stays under 1 s at p99. grpc's queue has 32 places, kafka's no end; messages of different partitions do not keep their order, which the prediction leaves out",
		Delta:     Amount{1, "workers"}, Budget: 40 * time.Second, Size: Size{Orders: 280, Rate: 40, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "with one worker fewer than are needed: an order that payment refused (queue_full)", Seen: wasRefused},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range forms {
				needed, err := overSeeds(size, func(seed uint64) (float64, error) { return predictNeeded(form, size, seed, k) })
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: string(form), Measure: neededWorkers, Value: needed})
			}
			return list, nil
		},
		Measure: measureProvisioning,
		Decide: func(f Figures) (Decision, error) {
			fewer, err := f.Difference(neededWorkers, "kafka", "grpc")
			return Decision{Parts: []verdict.Part{{Name: "grpc less kafka, workers", Estimate: fewer, Want: verdict.MoreThan(1)}}}, err
		},
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Queue = usualQueue })
		},
		Sabotages: []Sabotage{
			{Name: "one partition keeps messages in their order", Want: verdict.Holds, Change: func(c *lab.Config) { c.Partitions = 1 }},
		},
	}
}

// provisionQueue is the usual queue of a form.
func provisionQueue(form services.Form) (queue, places int) {
	if form == services.Kafka {
		return 0, simulation.Unbounded
	}
	return usualQueue, usualQueue
}

// predictNeeded is the least number of workers that keeps the objective in the simulation.
func predictNeeded(form services.Form, size Size, seed uint64, k Constants) (float64, error) {
	_, places := provisionQueue(form)
	for n := 1; n <= mostProvisioned; n++ {
		p, err := simulatePeak(flows.Order(), form, size, seed, n, places, k)
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
	values, err := ran.Measure(form, Completion)
	failed, of := countOrders(ran.Orders(form), anyOrder, Failed)
	p99 := quantileOf(values, 0.99, func(i int) bool { return !math.IsInf(values[i], 1) })
	return float64(failed) < objectiveErrors*float64(of) && p99 < milliseconds(objectiveWait), err
}

// measureProvisioning runs the numbers of workers around those that are expected, and then more until each seed has its least one.
func measureProvisioning(ctx context.Context, l *Lab) (Figures, error) {
	least := map[services.Form][]float64{}
	next := map[services.Form][]int{services.GRPC: {3, 4}, services.Kafka: {2, 3}}
	kept := map[services.Form]map[int][]bool{services.GRPC: {}, services.Kafka: {}}
	for len(next) > 0 {
		var arms []Arm
		for _, form := range []services.Form{services.GRPC, services.Kafka} {
			for _, n := range next[form] {
				queue, _ := provisionQueue(form)
				arms = append(arms, Arm{Name: armOf(form, n), Config: peakOf(l.Config(paymentQueue(flows.Order(), n, queue), form))})
			}
		}
		runs, err := l.Repeat(ctx, atATime, arms...)
		if err != nil {
			return nil, err
		}
		for form, numbers := range next {
			for _, n := range numbers {
				for _, ran := range runs[armOf(form, n)] {
					ok, err := keepsObjective(ran, form)
					if err != nil {
						return nil, err
					}
					kept[form][n] = append(kept[form][n], ok)
				}
			}
		}
		if list := runs[armOf(services.GRPC, 3)]; len(list) > 0 {
			if err := showRefused(l, list[0]); err != nil {
				return nil, err
			}
		}
		next = map[services.Form][]int{}
		for form := range kept {
			var more []int
			if least[form], more = leastKept(kept[form], l.Size().Seeds); len(more) > 0 {
				next[form] = more
			}
		}
	}
	var f Figures
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		f.PerRun(string(form), neededWorkers, "workers", least[form])
	}
	return f, nil
}

// leastKept is the least number of workers that keeps the objective for each seed, of those that were tried, or which other numbers to try.
func leastKept(kept map[int][]bool, seeds int) (least []float64, more []int) {
	lowest, highest := mostProvisioned, 0
	for n := range kept {
		lowest, highest = min(lowest, n), max(highest, n)
	}
	least = make([]float64, seeds)
	for seed := range seeds {
		least[seed] = math.NaN()
		for n := highest; n >= lowest && kept[n][seed]; n-- {
			least[seed] = float64(n)
		}
		switch {
		case math.IsNaN(least[seed]) && highest < mostProvisioned:
			return least, []int{highest + 1}
		case least[seed] == float64(lowest) && lowest > 1:
			return least, []int{lowest - 1}
		}
	}
	return least, nil
}

// showRefused shows an order of grpc that payment refused, if there is one.
func showRefused(l *Lab, ran *Ran) error {
	refused := numbersOf(ran.Orders(services.GRPC), unanswered)
	if len(refused) == 0 {
		return nil
	}
	return l.Show(ran, services.GRPC, refused...)
}
