package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// notificationService tells people of a reaction.
const notificationService = "notification"

// Measures of reactions.
const (
	unnotified = "nobody told"
	doneTwice  = "done twice"
)

// longestSilence is how long nobody can be told of reactions.
const longestSilence = time.Second

// reaction: whether a reaction is told of when the service that tells is away.
func reaction() Claim {
	const least, most = 0.5, 0.05 // shares
	return Claim{
		Name:      "reaction",
		Statement: "a reaction must reach the notification service",
		Rule:      "while notification is stopped, at least half of grpc's reactions end with an error at the client and at most δ of kafka's; every one that kafka accepted is told of afterwards, with one effect",
		Delta:     Amount{most, "share"}, Budget: 7 * time.Second, Size: Size{Orders: 120, Rate: 40, Seeds: 3}, Kind: Repeated,
		Signature: Signature{Words: "a record that waits for notification as long as it is away, and is handled once it is back", Seen: waitedFor(notificationService)},
		Predict: func(Size, Constants) ([]Prediction, error) {
			return []Prediction{
				{Arm: "grpc", Measure: duringErrors, Value: 1}, {Arm: "kafka", Measure: duringErrors}, {Arm: "kafka", Measure: unnotified},
			}, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow, err := flows.Named("reaction")
			if err != nil {
				return nil, err
			}
			down := outageIn(notificationService, l.size.Orders, l.size.Rate, longestSilence)
			runs, err := l.outageOf(ctx, down, flow, services.GRPC, services.Kafka)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range []services.Form{services.GRPC, services.Kafka} {
				twice, steps := 0, 0
				for _, ran := range runs[string(form)] {
					e := ran.Result.Forms[form].Effects
					twice, steps = twice+e.Twice, steps+e.Once+e.Twice
				}
				f.Shares(string(form), duringErrors, runs[string(form)], among(duringOf(form, down), unanswered))
				f.lostAs(string(form), unnotified, form, runs[string(form)])
				f.Count(string(form), doneTwice, twice, steps)
			}
			journeys, err := runs["kafka"][0].Journeys(services.Kafka)
			if err != nil {
				return nil, err
			}
			at, records := curveOf(queueChanges(journeys, notificationService), runs["kafka"][0].began())
			f.Curve("kafka", waitingNow, "records", overTime, at, records)
			return f, l.Show(runs["kafka"][0], services.Kafka, numbersOf(runs["kafka"][0].during(services.Kafka, down), anyOrder)...)
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.mean("grpc", duringErrors)
			kafka, err2 := f.mean("kafka", duringErrors)
			silent, err3 := f.counted("kafka", unnotified)
			twice, err4 := f.counted("kafka", doneTwice)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc: client errors, share", Estimate: grpc, Want: verdict.AtLeast(least)},
				{Name: "kafka: client errors, share", Estimate: kafka, Want: verdict.AtMost(most)},
				{Name: "kafka: nobody told", Estimate: silent, Want: verdict.AtMost(0)},
				{Name: "kafka: done twice", Estimate: twice, Want: verdict.AtMost(0)},
			}}, errors.Join(err, err2, err3, err4)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How many records wait for notification, in the first run?", X: overTime, Y: "records", Lines: f.curves(waitingNow)}
		},
		Alike:     func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC) },
		Sabotages: []Sabotage{{Name: "notification stays", Change: func(c *lab.Config) { c.Events = nil }, Want: verdict.DoesNotHold}},
	}
}
