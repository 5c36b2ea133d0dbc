package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// The overloaded service: its workers, how long a client waits for it, and what is offered in multiples of what the workers can do.
const (
	overloadWorkers  = 2
	overloadDeadline = 300 * time.Millisecond
	overloadBest     = 0.8
)

func overloads() []float64 { return []float64{1.5, 2} }

// goodRate is the measure of what is done.
const (
	goodRate   = "orders done, a second"
	goodInTime = "of these, within the client's 300 ms"
)

// overloadGoodput: what becomes of a system that is asked for more than it can do.
func overloadGoodput() Claim {
	forms := []services.Form{services.GRPC, services.Kafka}
	arm := func(form services.Form, times float64) string { return fmt.Sprintf("%s, %g times", form, times) }
	return Claim{
		Name:      "overload-goodput",
		Statement: "sync loses throughput under high load",
		Rule:      "offered twice what the workers can do, grpc, whose clients give up after 300 ms, does less than 80 % of the orders a second that it does at 0.8 times, and kafka at least 80 %",
		Delta:     Amount{0.2, "of the rate"}, Budget: 19 * time.Second, Size: Size{Orders: 140, Rate: 1, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "a client's span that ended with an error after 300 ms, most of which the order stood in link-1's server span", Seen: func(j *journey.Journey) error {
			root, ok := j.Root()
			if !ok || !j.Set().Failed(root) {
				return errors.New("the client's span did not fail")
			}
			return nil
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range forms {
				for _, times := range append([]float64{overloadBest}, overloads()...) {
					rate, err := predictOverload(form, times, size, k)
					if err != nil {
						return nil, err
					}
					list = append(list, Prediction{Arm: arm(form, times), Measure: goodRate, Value: rate, Gate: times == overloadBest && form == services.GRPC})
				}
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			var arms []Arm
			for _, form := range forms {
				for _, times := range append([]float64{overloadBest}, overloads()...) {
					flow, err := overloadFlow()
					if err != nil {
						return nil, err
					}
					config := l.Config(flow, form)
					config.Rate = times * overloadWorkers / kneeCost.Seconds()
					config.Orders = int(float64(l.Size().Orders) * times)
					config.Timeout = overloadDeadline
					arms = append(arms, Arm{Name: arm(form, times), Config: config})
				}
			}
			runs, err := l.Repeat(ctx, moreAtATime, arms...)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, a := range arms {
				if err := overloadFigures(&f, a, runs[a.Name]); err != nil {
					return nil, err
				}
			}
			first := runs[arm(services.GRPC, 2)][0]
			gaveUp := numbersOf(first.Orders(services.GRPC), unanswered)
			return f, l.Show(first, services.GRPC, gaveUp...)
		},
		Decide: func(f Figures) (Decision, error) {
			var d Decision
			var errs []error
			for _, form := range forms {
				for _, times := range overloads() {
					e, err := f.ratio(goodRate, arm(form, overloadBest), arm(form, times))
					errs = append(errs, err)
					p := verdict.Part{Name: fmt.Sprintf("%s, %g times, of its rate at %g", form, times, overloadBest), Estimate: e, Want: verdict.LessThan(0.8)}
					if form == services.Kafka {
						p.Want = verdict.AtLeast(0.8)
					}
					if times < 2 {
						d.Beside = append(d.Beside, p)
					} else {
						d.Parts = append(d.Parts, p)
					}
				}
			}
			late, err := f.mean(arm(services.Kafka, 2), goodInTime)
			d.Beside = append(d.Beside, verdict.Part{Name: "kafka, 2 times, done within 300 ms", Estimate: late})
			return d, errors.Join(append(errs, err)...)
		},
		Draw: func(f Figures) Plot {
			return Plot{
				Title: "How many orders a second are done, of so many?", X: "offered, in multiples of what the workers can do", Y: "orders/s",
				Lines: f.over(goodRate, append([]float64{overloadBest}, overloads()...), arm, forms...),
			}
		},
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{
			{Name: "clients of grpc wait for as long as it takes", Want: verdict.DoesNotHold, Change: func(c *lab.Config) { c.Timeout = 20 * time.Second }},
		},
	}
}

// overloadFlow is chain:1 with few workers and a queue without an end.
func overloadFlow() (*flows.Flow, error) {
	return kneeFlow(services.Kafka, overloadWorkers)
}

// overloadFigures adds what was done in one arm: orders whose client was told so in time, and that were completed while orders came. The first third
// of that time is left out.
func overloadFigures(f *Figures, a Arm, runs []*Ran) error {
	form := a.Config.Forms[0]
	rates, err := eachRun(runs, func(ran *Ran) (float64, error) {
		completions, err := ran.Measure(form, Completion)
		ends := make([]float64, len(completions))
		for i, o := range ran.Orders(form) {
			ends[i] = o.Intended.Sub(ran.began()).Seconds() + completions[i]/1000
		}
		return rateWithin(ends, placing(len(ends), ran.Config.Rate).Seconds()), err
	})
	if err != nil {
		return err
	}
	f.PerRun(a.Name, goodRate, "orders/s", rates)
	inTime := map[*Ran]int{}
	for _, ran := range runs {
		values, err := ran.Measure(form, Completion)
		if err != nil {
			return err
		}
		for _, v := range values {
			if v <= milliseconds(overloadDeadline) {
				inTime[ran]++
			}
		}
	}
	f.Shares(a.Name, goodInTime, runs, func(ran *Ran) (int, int) { return inTime[ran], len(ran.Orders(form)) })
	return nil
}

// predictOverload simulates the queue, whose orders leave it when their client does.
func predictOverload(form services.Form, times float64, size Size, k Constants) (float64, error) {
	flow, err := overloadFlow()
	if err != nil {
		return 0, err
	}
	rate := times * overloadWorkers / kneeCost.Seconds()
	n := int(float64(size.Orders) * times)
	return overSeeds(size, func(seed uint64) (float64, error) {
		costs, err := busyAt(flow, form, kneeStep, seed, n, k)
		if err != nil {
			return 0, err
		}
		q := simulation.Queue{Arrivals: simulation.Evenly(rate, n), Costs: costs, Workers: overloadWorkers, Places: simulation.Unbounded}
		if form == services.GRPC {
			q.Deadline = overloadDeadline - k.Front - k.Hop - 2*time.Millisecond // the entry's step
		}
		orders, err := q.Run()
		if err != nil {
			return 0, err
		}
		ends := make([]float64, n)
		for i, o := range orders {
			if ends[i] = o.Ended.Seconds(); simulation.Failed(o) {
				ends[i] = math.Inf(1)
			}
		}
		return rateWithin(ends, placing(n, rate).Seconds()), nil
	})
}

// rateWithin is how many ends a second there are in a time of so many seconds, without its first third.
func rateWithin(ends []float64, length float64) float64 {
	n := 0
	for _, end := range ends {
		if end >= length/3 && end < length {
			n++
		}
	}
	return float64(n) / (length * 2 / 3)
}
