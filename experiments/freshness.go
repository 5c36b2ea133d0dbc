package experiments

import (
	"context"
	"fmt"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// notified is the measure of how soon the customer knows.
const notified = "time until notified"

const notifyStep services.Step = "notification.Notify"

// freshness: how long it takes until the customer is notified.
func freshness() Claim {
	const delta = 5 // ms
	return Claim{
		Name:      "freshness",
		Statement: "sync communication happens in real time: the customer is told sooner",
		Rule:      "the customer is notified later in kafka than in grpc by more than δ, at the median",
		Delta:     Amount{delta, "ms"}, Budget: time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "notification.Notify, which in kafka begins when its message is delivered", Seen: func(j *journey.Journey) error {
			if _, ok := doneAfter(notifyStep)(j); !ok {
				return fmt.Errorf("there is no %s", notifyStep)
			}
			return nil
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			flow, forms, err := cornerForms()
			if err != nil {
				return nil, err
			}
			var list []Prediction
			for _, form := range forms {
				var times []float64
				for number := range size.Orders {
					path, err := PathTo(notifyStep, flow, form, size.Seed, number, k)
					if err != nil {
						return nil, err
					}
					t, err := path.Predict(k.Constants)
					if err != nil {
						return nil, err
					}
					times = append(times, milliseconds(t.Completion))
				}
				list = append(list, Prediction{Arm: string(form), Measure: notified, Value: middle(times), Gate: true})
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			ran, err := l.Corners(ctx)
			if err != nil {
				return nil, err
			}
			_, forms, err := cornerForms()
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range forms {
				values, err := ran.Each(form, doneAfter(notifyStep))
				if err != nil {
					return nil, err
				}
				f.PerOrder(string(form), notified, "ms", values)
			}
			return f, l.Show(ran, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			later, err := f.Difference(notified, "grpc", "kafka")
			if err != nil {
				return Decision{}, err
			}
			d := Decision{Parts: []verdict.Part{{Name: "kafka later than grpc, ms", Estimate: later, Want: verdict.MoreThan(delta)}}}
			for _, form := range []string{"grpc", "kafka"} {
				values, err := f.Values(form, notified)
				if err != nil {
					return d, err
				}
				if p99, err := verdict.Quantile(Values(values).known(), 0.99); err == nil {
					d.Beside = append(d.Beside, verdict.Part{Name: "p99 in " + form + ", ms", Estimate: p99})
				}
			}
			return d, nil
		},
		Draw:  func(f Figures) Plot { return f.bars("When is the customer told?", notified) },
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "notifications are collected for 20 ms", Want: verdict.Holds, Change: func(c *lab.Config) {
			change(c, services.Kafka, func(column *flows.Column) {
				column.Batches = map[services.Step]flows.Batch{notifyStep: {Size: 100, Wait: 20 * time.Millisecond}}
			})
		}}},
	}
}

// doneAfter is how long after the client began a step was done, in milliseconds.
func doneAfter(step services.Step) func(*journey.Journey) (float64, bool) {
	return func(j *journey.Journey) (float64, bool) {
		set := j.Set()
		for _, i := range j.Spans() {
			if name, ok := set.Span(i).Attr(services.KeyStep); ok && name.String() == string(step) {
				_, end := set.Times(i)
				return milliseconds(time.Duration(end - j.Start())), true
			}
		}
		return 0, false
	}
}
