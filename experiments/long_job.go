package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// How long the long step takes, how long the client waits, and how many work on it: all that there are.
const (
	longStep     = 1500 * time.Millisecond
	longDeadline = time.Second
	longWorkers  = 500
)

// clientErrors are the orders whose client got an error, or no answer in time.
const clientErrors = "client errors"

// longJob: who has an answer when a step takes longer than a client waits.
func longJob() Claim {
	forms := []services.Form{services.GRPC, "ack", services.Kafka}
	return Claim{
		Name:      "long-job",
		Statement: "async suits long-running work",
		Rule:      "with a step of 1.5 s and clients that wait for 1 s, at least 95 % of the orders of grpc get an error, and at most 5 % of kafka's, all of which complete. Whether the broker is needed or the early answer is told by ack, which has only the latter",
		Delta:     Amount{0.05, "share"}, Budget: 10 * time.Second, Size: Size{Orders: 150, Rate: 60, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "an answer within milliseconds, and payment.Charge of 1.5 s behind it", Seen: func(j *journey.Journey) error {
			if tail, ok := j.Tail(); !ok || tail < longStep {
				return fmt.Errorf("nothing goes on for %v behind the answer", longStep)
			}
			return nil
		}},
		Predict: func(Size, Constants) ([]Prediction, error) {
			return []Prediction{
				{Arm: "grpc", Measure: clientErrors, Value: 1}, {Arm: "ack", Measure: clientErrors}, {Arm: "kafka", Measure: clientErrors},
				{Arm: "ack", Measure: notDone}, {Arm: "kafka", Measure: notDone},
			}, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow := WithRow(flows.Order(), chargeStep, func(row *flows.Row) { row.Cost.Wait, row.Cost.Spread = longStep, 0 })
			config := l.Config(flow, forms...)
			config.Timeout, config.Workers, config.WarmUp = longDeadline, longWorkers, 0
			ran, err := l.Run(ctx, config)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range forms {
				for _, m := range []struct {
					name string
					is   func(rundir.Order) bool
				}{{clientErrors, unanswered}, {notDone, func(o rundir.Order) bool { return o.Outcome != "completed" }}} {
					hits, of := countOrders(ran.Orders(form), anyOrder, m.is)
					f.Count(string(form), m.name, hits, of)
				}
			}
			return f, l.Show(ran, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.mean("grpc", clientErrors)
			kafka, err2 := f.mean("kafka", clientErrors)
			lost, err3 := f.mean("kafka", notDone)
			ack, err4 := f.mean("ack", clientErrors)
			undone, err5 := f.mean("ack", notDone)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc, client errors", Estimate: grpc, Want: verdict.AtLeast(0.95)},
				{Name: "kafka, client errors", Estimate: kafka, Want: verdict.AtMost(0.05)},
				{Name: "kafka, not completed", Estimate: lost, Want: verdict.AtMost(0.05)},
			}, Beside: []verdict.Part{
				{Name: "without a broker (ack), client errors", Estimate: ack, Want: verdict.AtMost(0.05)},
				{Name: "without a broker (ack), not completed", Estimate: undone, Want: verdict.AtMost(0.05)},
			}}, errors.Join(err, err2, err3, err4, err5)
		},
		Draw:  func(f Figures) Plot { return f.bars("Which share of the clients gets an error?", clientErrors) },
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{
			{Name: "kafka answers when all is done", Change: func(c *lab.Config) {
				change(c, services.Kafka, func(column *flows.Column) { column.Waits = true })
			}, Want: verdict.DoesNotHold},
			{Name: "the step is short", Change: func(c *lab.Config) {
				c.Flow = WithRow(c.Flow, chargeStep, func(row *flows.Row) { row.Cost.Wait = 18 * time.Millisecond })
			}, Want: verdict.DoesNotHold},
		},
	}
}
