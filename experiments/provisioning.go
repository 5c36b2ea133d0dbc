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
	mostProvisioned = 6
)

// The numbers of workers that decide: kafka's are enough, and grpc's, one more, are too few.
const (
	kafkaWorkers = 2
	grpcWorkers  = kafkaWorkers + 1
)

// Measures of what a number of workers does, and of how many are needed.
const (
	neededWorkers = "least payment workers"
	objectiveMiss = "client errors"
)

// provisioning: how many workers a peak takes. Whole numbers of workers hardly scatter over a few runs, and so tell nothing of how sure they are: what
// decides is how far the objective is kept, with the numbers that the model draws the line between.
func provisioning() Claim {
	enough, tooFew := armOf(services.Kafka, kafkaWorkers), armOf(services.GRPC, grpcWorkers)
	return Claim{
		Name:      "provisioning",
		Statement: "sync must be provisioned for peaks",
		Rule:      "under a peak of five times the rate for 1 s, kafka needs fewer workers at payment than grpc, by more than one: with 2 of them under 1 % of its orders get an error and the completion of the others stays under 1 s at p99, and with 3 grpc has at least 1 % of errors. grpc's queue has 32 places, kafka's no end, and its messages of different partitions do not keep their order",
		Delta:     Amount{1, "workers"}, Budget: 28 * time.Second, Size: Size{Orders: 280, Rate: 40, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "with one worker fewer than are needed: an order that payment refused (queue_full)", Seen: wasRefused},
		Predict:   predictProvisioning,
		Measure:   measureProvisioning,
		Decide: func(f Figures) (Decision, error) {
			p99, err := f.mean(enough, peakP99)
			kafka, err2 := f.mean(enough, objectiveMiss)
			grpc, err3 := f.mean(tooFew, objectiveMiss)
			return Decision{Parts: []verdict.Part{
				{Name: "kafka, 2 workers: completion p99, ms", Estimate: p99, Want: verdict.LessThan(milliseconds(objectiveWait))},
				{Name: "kafka, 2 workers: client errors", Estimate: kafka, Want: verdict.LessThan(objectiveErrors)},
				{Name: "grpc, 3 workers: client errors", Estimate: grpc, Want: verdict.AtLeast(objectiveErrors)},
			}}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot { return f.bars("How many workers at payment does the peak take?", neededWorkers) },
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Queue = usualQueue })
		},
		Sabotages: []Sabotage{
			{Name: "one partition keeps messages in their order", Change: func(c *lab.Config) { c.Partitions = 1 }},
		},
	}
}

// predictProvisioning simulates the numbers of workers that decide, and searches for the least that are needed.
func predictProvisioning(size Size, k Constants) ([]Prediction, error) {
	var list []Prediction
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		needed, err := overSeeds(size, func(seed uint64) (float64, error) { return predictNeeded(form, size, seed, k) })
		if err != nil {
			return nil, err
		}
		list = append(list, Prediction{Arm: string(form), Measure: neededWorkers, Value: needed})
	}
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		_, places := provisionQueue(form)
		workers := decidingWorkers(form)
		peak, err := predictPeakOf(flows.Order(), form, size, workers, places, k)
		if err != nil {
			return nil, err
		}
		arm := armOf(form, workers)
		list = append(list, Prediction{Arm: arm, Measure: peakP99, Value: peak.p99}, Prediction{Arm: arm, Measure: objectiveMiss, Value: peak.failed})
	}
	return list, nil
}

// decidingWorkers are the number of workers of a form that decides.
func decidingWorkers(form services.Form) int {
	if form == services.Kafka {
		return kafkaWorkers
	}
	return grpcWorkers
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
	failed, of := countOrders(ran.Orders(form), anyOrder, Failed)
	p99, err := p99Done(ran, form)
	return float64(failed) < objectiveErrors*float64(of) && p99 < milliseconds(objectiveWait), err
}

// measureProvisioning runs the numbers of workers around those that are expected, and then more until each seed has its least one.
func measureProvisioning(ctx context.Context, l *Lab) (Figures, error) {
	least := map[services.Form][]float64{}
	next := map[services.Form][]int{services.GRPC: {grpcWorkers, grpcWorkers + 1}, services.Kafka: {kafkaWorkers, kafkaWorkers + 1}}
	kept := map[services.Form]map[int][]bool{services.GRPC: {}, services.Kafka: {}}
	var f Figures
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
		if list := runs[armOf(services.GRPC, grpcWorkers)]; len(list) > 0 {
			err := errors.Join(showRefused(l, list[0]), f.objective(services.GRPC, grpcWorkers, runs), f.objective(services.Kafka, kafkaWorkers, runs))
			if err != nil {
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
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		f.PerRun(string(form), neededWorkers, "workers", least[form])
	}
	return f, nil
}

// objective adds how far a number of workers keeps the objective.
func (f *Figures) objective(form services.Form, workers int, runs map[string][]*Ran) error {
	arm := armOf(form, workers)
	f.Shares(arm, objectiveMiss, runs[arm], func(ran *Ran) (int, int) { return countOrders(ran.Orders(form), anyOrder, Failed) })
	p99, err := eachRun(runs[arm], func(ran *Ran) (float64, error) { return p99Done(ran, form) })
	f.PerRun(arm, peakP99, "ms", p99)
	return err
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
