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

// unknownDeadline is how long the client waits: less than an order takes.
const unknownDeadline = 30 * time.Millisecond

// Measures of what a client does not know.
const (
	timedOut   = "orders without an answer in time"
	doneUnseen = "of these, charged all the same"
)

// unknownOutcome: what a client knows of an order that was not answered in time.
func unknownOutcome() Claim {
	return Claim{
		Name:      "unknown-outcome",
		Statement: "sync: an answer in time or an error, so it is easy to reason about",
		Rule:      "of the orders that a client of grpc gives up after 30 ms, at most 5 % have been charged",
		Delta:     Amount{0.05, "share"}, Budget: 4 * time.Second, Size: Size{Orders: 150, Rate: 50, Seeds: 1}, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "the client's span ends with an error, and payment.Charge below it ends without one", Seen: chargedUnseen},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			out, charged := 0, 0
			for number := range size.Orders {
				whole, err := Path(flows.Order(), services.GRPC, size.Seed, number, k)
				upTo, err2 := PathTo(chargeStep, flows.Order(), services.GRPC, size.Seed, number, k)
				if err = errors.Join(err, err2); err != nil {
					return nil, err
				}
				all, err := whole.Predict(k.Constants)
				part, err2 := upTo.Predict(k.Constants)
				if err = errors.Join(err, err2); err != nil {
					return nil, err
				}
				if all.Wait > unknownDeadline {
					if out++; part.Wait-k.Front/2 < unknownDeadline { // the answer still has its way back
						charged++
					}
				}
			}
			return []Prediction{
				{Arm: "grpc", Measure: timedOut, Value: float64(out) / float64(size.Orders)},
				{Arm: "grpc", Measure: doneUnseen, Value: float64(charged) / float64(max(1, out))},
			}, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			config := l.Config(flows.Order(), services.GRPC)
			config.Timeout = unknownDeadline
			ran, err := l.Run(ctx, config)
			if err != nil {
				return nil, err
			}
			journeys, err := ran.Journeys(services.GRPC)
			if err != nil {
				return nil, err
			}
			out, charged := 0, 0
			var numbers []int
			for i, o := range ran.Orders(services.GRPC) {
				if o.Answered() || o.Outcome == notPlaced {
					continue
				}
				out++
				if journeys[i] != nil && stepsDone(journeys[i], chargeStep) > 0 {
					charged++
					numbers = append(numbers, i)
				}
			}
			var f Figures
			f.Count("grpc", timedOut, out, len(journeys))
			f.Count("grpc", doneUnseen, charged, out)
			if len(numbers) == 0 {
				return f, nil
			}
			return f, l.Show(ran, services.GRPC, numbers...)
		},
		Decide: func(f Figures) (Decision, error) {
			charged, of, err := f.Share("grpc", doneUnseen)
			if err != nil {
				return Decision{}, err
			}
			if of == 0 {
				return Decision{}, fmt.Errorf("every order was answered within %v: nothing is known of those that are not", unknownDeadline)
			}
			e, err := verdict.Share(charged, of)
			return Decision{Parts: []verdict.Part{{Name: "grpc, given up and charged", Estimate: e, Want: verdict.AtMost(0.05)}}}, err
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "What became of the orders?", X: "share", Bars: []Bar{f.bar(timedOut, "grpc", timedOut), f.bar(doneUnseen, "grpc", doneUnseen)}}
		},
		Alike: func(c *lab.Config) { c.Timeout = 5 * time.Second },
		Sabotages: []Sabotage{
			{Name: "the client gives up before anything is charged", Change: func(c *lab.Config) { c.Timeout = 8 * time.Millisecond }, Want: verdict.Holds},
			{Name: "the client waits for the answer", Change: func(c *lab.Config) { c.Timeout = 5 * time.Second }},
		},
	}
}

// stepsDone counts the attempts at a step that did not fail.
func stepsDone(j *journey.Journey, step services.Step) int {
	n := 0
	for _, i := range j.Spans() {
		if name, ok := j.Set().Span(i).Attr(services.KeyStep); ok && name.String() == string(step) && !j.Set().Failed(i) {
			n++
		}
	}
	return n
}

// chargedUnseen tells whether the client got an error and payment was done.
func chargedUnseen(j *journey.Journey) error {
	root, ok := j.Root()
	if !ok || !j.Set().Failed(root) {
		return errors.New("the client's span did not fail")
	}
	if stepsDone(j, chargeStep) == 0 {
		return fmt.Errorf("%s was not done", chargeStep)
	}
	return nil
}
