package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// completion: the same work behind messages is not done sooner.
func completion() Claim {
	const delta = 1 // ms
	return Claim{
		Name:      "completion",
		Statement: "async makes the work itself faster",
		Rule:      "the completion of kafka is shorter than that of grpc by more than δ",
		Delta:     Amount{delta, "ms"}, Budget: time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "message waits on kafka's completion path, where grpc's has calls: the work between them is the same", Seen: carriedByMessages},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			return predictCorners(size, k, Completion)
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			return measureCorners(ctx, l, Completion)
		},
		Decide: func(f Figures) (Decision, error) {
			faster, err := f.Difference(Completion, "grpc", "kafka")
			if err != nil {
				return Decision{}, err
			}
			e, err := f.square(Completion)
			if err != nil {
				return Decision{}, err
			}
			beside := append([]verdict.Part{
				{Name: "early answer among calls, ms", Estimate: e.EarlyAmongCalls}, {Name: "early answer among messages, ms", Estimate: e.EarlyAmongMessages},
				{Name: "broker when done, ms", Estimate: e.BrokerWhenDone}, {Name: "broker when early, ms", Estimate: e.BrokerWhenEarly},
			}, besideSquare(e, delta)...)
			return Decision{Parts: []verdict.Part{{Name: "kafka less grpc, ms", Estimate: faster, Want: verdict.LessThan(-delta)}}, Beside: beside}, nil
		},
		Draw:  func(f Figures) Plot { return f.bars("When is all done, in each corner?", Completion) },
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "grpc makes one call at a time, kafka works side by side", Want: verdict.Holds, Change: func(c *lab.Config) {
			change(c, services.GRPC, func(column *flows.Column) { column.OneByOne = true })
		}}},
	}
}

// carriedByMessages tells whether messages were delivered.
func carriedByMessages(j *journey.Journey) error {
	if len(j.Messages()) == 0 {
		return errors.New("no message was delivered")
	}
	return nil
}
