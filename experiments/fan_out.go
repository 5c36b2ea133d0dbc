package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// fanOutWidths are how many services react.
func fanOutWidths() []int { return []int{1, 2, 4, 8} }

// fanOut: what more listeners cost whoever tells them.
func fanOut() Claim {
	const delta = 1 // ms
	return Claim{
		Name:      "fan-out",
		Statement: "several services can react to one event, and the publisher does not notice",
		Rule:      "with 8 services instead of 1 the caller of grpc, whose calls go out side by side, waits longer by more than δ; that of kafka by no more than δ either way, and as many records are published",
		Delta:     Amount{delta, "ms"}, Budget: 14 * time.Second, Size: Size{Orders: 120, Rate: 80, Seeds: 1}, Kind: Calm, Needs: Needs{},
		Signature: Signature{Words: "one send span, and a process span in each of the 8 services", Seen: func(j *journey.Journey) error {
			for _, f := range j.FanOut() {
				if len(f.Groups) == 8 {
					return nil
				}
			}
			return errors.New("no record is handled 8 times")
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, n := range fanOutWidths() {
				flow, err := flows.Named(fmt.Sprintf("fan-out:%d", n))
				if err != nil {
					return nil, err
				}
				for _, form := range []services.Form{services.GRPC, services.Kafka} {
					wait, _, err := predictTimes(flow, form, size, k)
					if err != nil {
						return nil, err
					}
					// Of 8 calls that begin together on two cores some wait for a core, so the model's gate is on the narrow ones.
					list = append(list, Prediction{Arm: armOf(form, n), Measure: Wait, Value: wait, Gate: n <= 2})
				}
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			var f Figures
			for _, n := range fanOutWidths() {
				flow, err := flows.Named(fmt.Sprintf("fan-out:%d", n))
				if err != nil {
					return nil, err
				}
				ran, err := l.Run(ctx, l.Config(flow, services.GRPC, services.Kafka))
				if err != nil {
					return nil, err
				}
				for _, form := range ran.Config.Forms {
					waits, err := ran.Measure(form, Wait)
					if err != nil {
						return nil, err
					}
					f.PerOrder(armOf(form, n), Wait, "ms", waits)
				}
				sent, err := ran.Each(services.Kafka, entryRecords)
				if err != nil {
					return nil, err
				}
				f.PerOrder(armOf(services.Kafka, n), published, "an order", sent)
				if n == 8 {
					if err := l.Show(ran, services.Kafka); err != nil {
						return nil, err
					}
				}
			}
			return f, nil
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.Difference(Wait, armOf(services.GRPC, 1), armOf(services.GRPC, 8))
			kafka, err2 := f.Difference(Wait, armOf(services.Kafka, 1), armOf(services.Kafka, 8))
			records, err3 := f.Difference(published, armOf(services.Kafka, 1), armOf(services.Kafka, 8))
			return Decision{Parts: []verdict.Part{
				{Name: "grpc, 8 less 1, ms", Estimate: grpc, Want: verdict.MoreThan(delta)},
				{Name: "kafka, 8 less 1, ms", Estimate: kafka, Want: verdict.Within(0, delta)},
				{Name: "kafka, records of the publisher", Estimate: records, Want: verdict.Within(0, 0)},
			}}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How long does the caller wait, with so many services that react?", X: "services", Y: "caller wait, ms", Lines: f.over(Wait, floats(fanOutWidths()), armAt, services.GRPC, services.Kafka)}
		},
		Alike: func(c *lab.Config) { alike(c, services.Kafka) },
		Sabotages: []Sabotage{
			{Name: "the publisher of kafka waits for all", Change: func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC) }},
		},
	}
}

// armOf names a form of a flow of n services.
func armOf(form services.Form, n int) string { return fmt.Sprintf("%s, %d", form, n) }

// entryRecords counts the records that the first publisher of a journey has sent.
func entryRecords(j *journey.Journey) (float64, bool) {
	messages := j.Messages()
	if len(messages) == 0 {
		return 0, true
	}
	set := j.Set()
	first := set.Span(messages[0].Producer).Service
	sent := map[journey.Index]bool{}
	for _, m := range messages {
		if set.Span(m.Producer).Service == first {
			sent[m.Producer] = true
		}
	}
	return float64(len(sent)), true
}
