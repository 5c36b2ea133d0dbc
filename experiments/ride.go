package experiments

import (
	"context"
	"time"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// ride: the peak once more, in a flow whose entry asks three services side by side.
func ride() Claim {
	const delta = 0.05 // share
	arms := []peakArm{{"grpc", services.GRPC, usualQueue}, {"kafka", services.Kafka, 0}}
	flow := func() (*flows.Flow, error) { return flows.Named("ride") }
	return Claim{
		Name:      "ride",
		Statement: "decouple ride requests from payment and notification at peaks",
		Rule:      "of the rides that are asked for in a peak of five times the rate, at least 20 % get an error in grpc, where payment's queue has 32 places, and at most 5 % in kafka, where it has no end",
		Delta:     Amount{delta, "share"}, Budget: 16 * time.Second, Size: peakSize, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "a ride that was refused: payment's server span ends at once with queue_full, while a driver was sent all the same", Seen: wasRefused},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			flow, err := flow()
			if err != nil {
				return nil, err
			}
			before, err := predictBeforePeak(flow, "grpc", services.GRPC, size, k)
			if err != nil {
				return nil, err
			}
			list := []Prediction{before}
			for _, arm := range arms {
				refused, err := overSeeds(size, func(seed uint64) (float64, error) {
					p, err := simulatePeak(flow, arm.form, size, seed, peakWorkers, arm.places(), k)
					return p.refused, err
				})
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: arm.name, Measure: peakErrors, Value: refused})
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow, err := flow()
			if err != nil {
				return nil, err
			}
			return measurePeak(ctx, l, flow, arms)
		},
		Decide: decidePeak,
		Draw:   drawPeak,
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = paymentQueue(c.Flow, peakWorkers, usualQueue)
		},
		Sabotages: []Sabotage{
			{Name: "no queue has an end", Change: func(c *lab.Config) { c.Flow = paymentQueue(c.Flow, peakWorkers, 0) }},
			{Name: "there is no peak", Change: func(c *lab.Config) { c.Surge = lab.Surge{} }},
		},
	}
}
