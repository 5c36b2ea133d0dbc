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

// callerWait: what an early answer does for the caller, and what a broker does.
func callerWait() Claim {
	const delta = 5 // ms
	return Claim{
		Name:      "caller-wait",
		Statement: "the caller continues without waiting",
		Rule:      "an early answer shortens the wait by more than δ, among calls and among messages; a broker alone changes it by no more than δ",
		Delta:     Amount{delta, "ms"}, Budget: 11 * time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "the work goes on after the client's span has ended: the tail of kafka's journey is longer than its wait", Seen: endsAfterAnswer},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			return predictCorners(size, k, Wait)
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			return measureCorners(ctx, l, Wait)
		},
		Decide: func(f Figures) (Decision, error) {
			e, err := f.square(Wait)
			if err != nil {
				return Decision{}, err
			}
			return Decision{Parts: []verdict.Part{
				{Name: "early answer among calls, ms", Estimate: e.EarlyAmongCalls, Want: verdict.LessThan(-delta)},
				{Name: "early answer among messages, ms", Estimate: e.EarlyAmongMessages, Want: verdict.LessThan(-delta)},
				{Name: "broker when done, ms", Estimate: e.BrokerWhenDone, Want: verdict.Within(0, delta)},
				{Name: "broker when early, ms", Estimate: e.BrokerWhenEarly, Want: verdict.Within(0, delta)},
			}, Beside: besideSquare(e, delta)}, nil
		},
		Draw:      func(f Figures) Plot { return f.bars("How long does the caller wait, in each corner?", Wait) },
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "ack answers when all is done", Change: func(c *lab.Config) { carryAs(c, "ack", services.GRPC) }, Want: verdict.DoesNotHold}},
	}
}

// endsAfterAnswer tells whether work is done after the caller has its answer.
func endsAfterAnswer(j *journey.Journey) error {
	if tail, ok := j.Tail(); !ok || tail <= 0 {
		return errors.New("nothing is done after the answer")
	}
	return nil
}

// cornersSize is that of the run which the calm claims share.
var cornersSize = Size{Orders: 100, Rate: 60, Seeds: 1}

// cornerForms are the four corners of the flow order, in the order of the square: calls, ack, reply, messages.
func cornerForms() (*flows.Flow, []services.Form, error) {
	flow, corners, err := flows.Order().WithCorners()
	return flow, corners.Forms(), err
}

// predictCorners predicts the medians of a measure in the corners.
func predictCorners(size Size, k Constants, measure string) ([]Prediction, error) {
	flow, forms, err := cornerForms()
	if err != nil {
		return nil, err
	}
	var list []Prediction
	for _, form := range forms {
		wait, completion, err := predictTimes(flow, form, size, k)
		if err != nil {
			return nil, err
		}
		value := wait
		if measure == Completion {
			value = completion
		}
		list = append(list, Prediction{Arm: string(form), Measure: measure, Value: value, Gate: true})
	}
	return list, nil
}

// measureCorners reads a measure of the corners from the shared run, and shows the signature in kafka's journeys.
func measureCorners(ctx context.Context, l *Lab, measure string) (Figures, error) {
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
		values, err := ran.Measure(form, measure)
		if err != nil {
			return nil, err
		}
		f.PerOrder(string(form), measure, "ms", values)
	}
	return f, l.Show(ran, services.Kafka)
}
