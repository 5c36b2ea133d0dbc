package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
)

// What the broker costs a caller is only of interest beyond these; a real one's acknowledgements are written to disk.
const (
	replyDelta     = 0.3 // ms
	replyDeltaReal = 1.0
)

// reply: what the broker costs a caller who waits for the answer all the same.
func reply() Claim {
	return Claim{
		Name:      "reply",
		Statement: "the response arrives as any other message, and has the price of one",
		Rule:      "the caller of reply waits longer than that of grpc by more than δ (1 ms on a real broker)",
		Delta:     Amount{replyDelta, "ms"}, Budget: time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "the caller's span is open until a message has come back: the response path goes through messages", Seen: answeredByMessage},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			all, err := predictCorners(size, k, Wait)
			var list []Prediction
			for _, p := range all {
				if p.Arm == string(services.GRPC) || p.Arm == "reply" {
					list = append(list, p)
				}
			}
			return list, err
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			ran, err := l.Corners(ctx)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range []services.Form{services.GRPC, "reply"} {
				values, err := ran.Measure(form, Wait)
				if err != nil {
					return nil, err
				}
				f.PerOrder(string(form), Wait, "ms", values)
			}
			if ran.RealBroker() {
				f.Count("broker", "is a real one", 1, 1)
			}
			return f, l.Show(ran, "reply")
		},
		Decide: func(f Figures) (Decision, error) {
			price, err := f.Difference(Wait, "grpc", "reply")
			if err != nil {
				return Decision{}, err
			}
			delta := replyDelta
			if _, err := f.find("broker", "is a real one"); err == nil {
				delta = replyDeltaReal
			}
			return Decision{Parts: []verdict.Part{{Name: "price of the broker, ms", Estimate: price, Want: verdict.MoreThan(delta)}}}, nil
		},
		Draw: func(f Figures) Plot {
			return f.bars("How long does the caller wait, for an answer by a call and by a message?", Wait)
		},
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "reply is carried by calls", Change: func(c *lab.Config) { carryAs(c, "reply", services.GRPC) }, Want: verdict.DoesNotHold}},
	}
}

// answeredByMessage tells whether a message is on the way to the caller's answer.
func answeredByMessage(j *journey.Journey) error {
	if len(j.Replies()) == 0 {
		return errors.New("no message came back to whoever waited")
	}
	return nil
}
