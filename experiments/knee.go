package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// kneeStep is the one bounded step of the flow chain:1, so that little but it takes part. It takes 20 ms.
const (
	kneeStep    services.Step = "link-1.Work"
	kneeCost                  = 20 * time.Millisecond
	kneeWorkers               = 4 // do about 195 orders/s
	// kneeOffered is what is offered, in multiples of what the workers can do.
	kneeOffered = 1.3
)

// kneeFlow is chain:1 with so many workers, and a queue of the usual length for calls alone.
func kneeFlow(form services.Form, workers int) (*flows.Flow, error) {
	flow, err := flows.Named("chain:1")
	if err != nil {
		return nil, err
	}
	return WithRow(flow, kneeStep, func(row *flows.Row) {
		row.Cost.Wait, row.Workers = kneeCost, workers
		if form == services.GRPC {
			row.Queue = usualQueue
		}
	}), nil
}

// kneeCapacity is what the workers can do in a form, by the costs that a seed draws.
func kneeCapacity(form services.Form, workers int, size Size, k Constants) (float64, error) {
	flow, err := kneeFlow(form, workers)
	if err != nil {
		return 0, err
	}
	busy, err := meanBusy(flow, form, kneeStep, size, k)
	if err != nil {
		return 0, err
	}
	return model.Station{Service: busy, Workers: workers}.Capacity()
}

// knee is the measure of the greatest rate that comes through.
const knee = "the most that comes through"

// rateLimit: which rate is too much for calls, and for messages.
func rateLimit() Claim {
	const delta = 0.15 // of the prediction
	forms := []services.Form{services.GRPC, services.Kafka}
	numbers := []int{kneeWorkers / 2, kneeWorkers, 2 * kneeWorkers}
	return Claim{
		Name:      "rate-limit-of-sync",
		Statement: "avoid sync beyond a few hundred requests a second",
		Rule:      "the most orders a second that come through lie more than 15 % lower in grpc than in kafka, with the same number of workers: 2, 4 or 8. Where they follow the workers in both, a few hundred is a property of the workers, not of sync",
		Delta:     Amount{delta, "of the rate"}, Budget: 16 * time.Second, Size: Size{Orders: 200, Rate: 1, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "time between the start of link-1's server span and that of its step: all workers are busy", Seen: func(j *journey.Journey) error {
			return waitsAt(j, kneeStep, kneeCost/2)
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range forms {
				for _, n := range numbers {
					capacity, err := kneeCapacity(form, n, size, k)
					if err != nil {
						return nil, err
					}
					list = append(list, Prediction{Arm: armOf(form, n), Measure: knee, Value: capacity})
				}
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			var arms []Arm
			for _, form := range forms {
				for _, n := range numbers {
					flow, err := kneeFlow(form, n)
					if err != nil {
						return nil, err
					}
					config := l.Config(flow, form)
					config.Rate = kneeOffered * float64(n) / kneeCost.Seconds()
					config.Orders = l.Size().Orders * n / kneeWorkers
					arms = append(arms, Arm{Name: armOf(form, n), Config: config})
				}
			}
			runs, err := l.Repeat(ctx, atATime, arms...)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, arm := range arms {
				rates, err := eachRun(runs[arm.Name], func(ran *Ran) (float64, error) { return throughput(ran, arm.Config.Forms[0]) })
				if err != nil {
					return nil, err
				}
				f.PerRun(arm.Name, knee, "orders/s", rates)
			}
			return f, l.Show(runs[armOf(services.GRPC, kneeWorkers)][0], services.GRPC)
		},
		Decide: func(f Figures) (Decision, error) {
			var d Decision
			var errs []error
			for _, n := range numbers {
				e, err := f.ratio(knee, armOf(services.Kafka, n), armOf(services.GRPC, n))
				errs = append(errs, err)
				d.Parts = append(d.Parts, verdict.Part{Name: fmt.Sprintf("grpc by kafka, %d workers", n), Estimate: e, Want: verdict.LessThan(1 - delta)})
			}
			for _, form := range forms {
				half, err := f.mean(armOf(form, numbers[0]), knee)
				twice, err2 := f.mean(armOf(form, numbers[2]), knee)
				errs = append(errs, err, err2)
				d.Beside = append(d.Beside, verdict.Part{Name: fmt.Sprintf("%s, %d workers, orders/s", form, numbers[0]), Estimate: half}, verdict.Part{Name: fmt.Sprintf("%s, %d workers, orders/s", form, numbers[2]), Estimate: twice})
			}
			return d, errors.Join(errs...)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How many orders a second come through, with so many workers?", X: "workers", Y: "orders/s", Lines: f.over(knee, floats(numbers), armAt, forms...)}
		},
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "grpc has half of the workers", Want: verdict.Holds, Change: func(c *lab.Config) {
			if c.Forms[0] == services.GRPC {
				c.Flow = WithRow(c.Flow, kneeStep, func(row *flows.Row) { row.Workers /= 2 })
			}
		}}},
	}
}

// throughput is how many of the bounded step a second end while its workers are busy: between the first third of them and the last.
func throughput(ran *Ran, form services.Form) (float64, error) {
	journeys, err := ran.Journeys(form)
	if err != nil {
		return 0, err
	}
	var ends []float64 // seconds since 1970
	for _, j := range journeys {
		if j == nil {
			continue
		}
		set := j.Set()
		for _, i := range j.Spans() {
			if name, ok := set.Span(i).Attr(services.KeyStep); ok && name.String() == string(kneeStep) && !set.Failed(i) {
				ends = append(ends, float64(set.Span(i).End)/1e9)
			}
		}
	}
	return rateOfEnds(ends)
}

// rateOfEnds is how many ends a second there are behind the first third of them.
func rateOfEnds(ends []float64) (float64, error) {
	if len(ends) < 6 {
		return 0, fmt.Errorf("%s was done %d times: too few for a rate", kneeStep, len(ends))
	}
	first, last, n := quantileOf(ends, 1.0/3, everyOrder), math.Inf(-1), 0
	for _, end := range ends {
		if last = max(last, end); end > first {
			n++
		}
	}
	return float64(n) / (last - first), nil
}

// waitsAt tells whether a call stood in a service for longer than that before a step began.
func waitsAt(j *journey.Journey, step services.Step, longest time.Duration) error {
	set := j.Set()
	for _, i := range j.Spans() {
		if name, ok := set.Span(i).Attr(services.KeyStep); !ok || name.String() != string(step) {
			continue
		}
		server, ok := set.Parent(i)
		if !ok {
			continue
		}
		start, end := set.Times(i)
		came, _ := set.Times(server)
		if time.Duration(start-came) > longest {
			return nil
		}
		return fmt.Errorf("%s began %v after its call came, and took %v", step, time.Duration(start-came), time.Duration(end-start))
	}
	return fmt.Errorf("no %s", step)
}
