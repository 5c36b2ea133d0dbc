package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// thinking is the time that a caller takes between an answer and its next order.
const thinking = 20 * time.Millisecond

// callers are how many there are in the arms.
func callers() []int { return []int{1, 2, 4, 8} }

// Measures of a closed loop.
const (
	callerRate = "orders a second"
	ofLittle   = "of N/(wait + thinking)"
)

// callerThroughput: what a caller's wait does to its rate.
func callerThroughput() Claim {
	const delta = 0.1 // of the rate
	return Claim{
		Name:      "caller-throughput",
		Statement: "sync is limited by the caller's wait",
		Rule:      "with N callers, each of which thinks for 20 ms between an answer and its next order, the rate of grpc is within 10 % of N/(wait + 20 ms), for 1, 2, 4 and 8 callers, and that of kafka is more than twice as high",
		Delta:     Amount{delta, "of the rate"}, Budget: 17 * time.Second, Size: Size{Orders: 16, Rate: 1, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "the client's span of an order ends, and the next one of that client begins 20 ms later", Seen: func(j *journey.Journey) error {
			if _, ok := j.CallerWait(); !ok {
				return errors.New("it has no client's span")
			}
			return nil
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range []services.Form{services.GRPC, services.Kafka} {
				for _, n := range callers() {
					of := size
					of.Orders *= n
					wait, _, err := predictTimes(flows.Order(), form, of, k)
					if err != nil {
						return nil, err
					}
					rate, err := model.ClosedLoop(n, time.Duration(wait*float64(time.Millisecond)), thinking)
					if err != nil {
						return nil, err
					}
					list = append(list, Prediction{Arm: armOf(form, n), Measure: callerRate, Value: rate})
					if form == services.GRPC {
						list = append(list, Prediction{Arm: armOf(form, n), Measure: ofLittle, Value: 1})
					}
				}
			}
			return list, nil
		},
		Measure: measureCallers,
		Decide: func(f Figures) (Decision, error) {
			var d Decision
			var errs []error
			for _, n := range callers() {
				little, err := f.mean(armOf(services.GRPC, n), ofLittle)
				more, err2 := f.ratio(callerRate, armOf(services.GRPC, n), armOf(services.Kafka, n))
				errs = append(errs, err, err2)
				d.Parts = append(d.Parts, verdict.Part{Name: fmt.Sprintf("grpc, %s, of N/(wait + 20 ms)", several(n, "caller")), Estimate: little, Want: verdict.Within(1, delta)},
					verdict.Part{Name: "kafka by grpc, " + several(n, "caller"), Estimate: more, Want: verdict.MoreThan(2)})
			}
			return d, errors.Join(errs...)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How many orders a second do so many callers place?", X: "callers", Y: "orders/s", Lines: f.over(callerRate, floats(callers()), armAt, services.GRPC, services.Kafka)}
		},
		Alike: func(c *lab.Config) {
			alike(c, services.GRPC)
			c.Flow = carryFlow(c.Flow, services.Kafka, services.GRPC)
		},
		Sabotages: []Sabotage{
			{Name: "kafka answers when all is done", Want: verdict.DoesNotHold, Change: func(c *lab.Config) {
				c.Flow = WithForm(c.Flow, services.Kafka, func(column *flows.Column) { column.Waits = true })
			}},
		},
	}
}

// carryFlow gives a form of a flow the carriers and the answer of another one.
func carryFlow(flow *flows.Flow, form, as services.Form) *flows.Flow {
	c := lab.Config{Flow: flow}
	carryAs(&c, form, as)
	return c.Flow
}

func measureCallers(ctx context.Context, l *Lab) (Figures, error) {
	var arms []Arm
	for _, form := range []services.Form{services.GRPC, services.Kafka} {
		for _, n := range callers() {
			config := l.Config(flows.Order(), form)
			config.Rate, config.Clients, config.Think, config.Orders = 0, n, thinking, l.Size().Orders*n
			arms = append(arms, Arm{Name: armOf(form, n), Config: config})
		}
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	for _, arm := range arms {
		form, n := arm.Config.Forms[0], arm.Config.Clients
		rates, err := eachRun(runs[arm.Name], func(ran *Ran) (float64, error) { return ran.Result.Generator.Rate, nil })
		if err != nil {
			return nil, err
		}
		little, err := eachRun(runs[arm.Name], func(ran *Ran) (float64, error) {
			waits, err := ran.Measure(form, Wait)
			if err != nil {
				return 0, err
			}
			wait := time.Duration(meanOf(waits, everyOrder) * float64(time.Millisecond))
			rate, err := model.ClosedLoop(n, wait, thinking)
			return ran.Result.Generator.Rate / rate, err
		})
		if err != nil {
			return nil, err
		}
		f.PerRun(arm.Name, callerRate, "orders/s", rates)
		if form == services.GRPC {
			f.PerRun(arm.Name, ofLittle, "", little)
		}
	}
	return f, l.Show(runs[armOf(services.GRPC, 1)][0], services.GRPC)
}
