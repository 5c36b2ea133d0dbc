package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// acceptedLost names the share of accepted orders that were lost.
const acceptedLost = "accepted, lost"

// entryService keeps the accounts of the flow order.
const entryService = "orders"

// deadFor is how long the service that was killed is away.
const deadFor = 150 * time.Millisecond

// durability: what a promise to do an order is worth when the service that gave it is killed.
func durability() Claim {
	const delta = 0.01 // share of the accepted orders
	return Claim{
		Name:      "durability",
		Statement: "an early answer needs a broker",
		Rule:      "orders is killed (-9) in mid-run, with its store on disk: ack, which goes on from memory, loses orders that it had accepted; kafka with an outbox loses none, and δ of them is ruled out",
		Delta:     Amount{delta, "share"}, Budget: 33 * time.Second, Size: Size{Orders: 130, Rate: 50, Seeds: 5}, Kind: Repeated,
		Signature: Signature{Words: "an order of ack that was answered, and of which nothing comes afterwards: no error, no span, no orders.Complete", Seen: endsUnfinished},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			wait, completion, err := predictTimes(flows.Order(), "ack", size, k)
			held, err2 := model.Little(size.Rate, time.Duration((completion-wait)*float64(time.Millisecond)))
			return []Prediction{
				{Arm: "ack", Measure: acceptedLost, Value: held / float64(size.Orders)}, {Arm: "kafka", Measure: acceptedLost},
			}, errors.Join(err, err2)
		},
		Measure: measureDurability,
		Decide: func(f Figures) (Decision, error) {
			share := func(arm string) (verdict.Estimate, error) {
				hits, of, err := f.Share(arm, acceptedLost)
				if err != nil {
					return verdict.Estimate{}, err
				}
				return verdict.Share(hits, of)
			}
			lossy, err := f.counted("ack", acceptedLost)
			kafka, err2 := share("kafka")
			none, err3 := f.counted("kafka", acceptedLost)
			ack, err4 := share("ack")
			return Decision{Parts: []verdict.Part{
				{Name: "ack: accepted, lost", Estimate: lossy, Want: verdict.AtLeast(1)},
				{Name: "kafka: accepted, lost", Estimate: none, Want: verdict.AtMost(0)},
				{Name: "kafka: share lost", Estimate: kafka, Want: verdict.AtMost(delta)},
			}, Beside: []verdict.Part{{Name: "ack: share lost", Estimate: ack}}}, errors.Join(err, err2, err3, err4)
		},
		Draw:      func(f Figures) Plot { return f.bars("Which share of the accepted orders is lost?", acceptedLost) },
		Alike:     func(c *lab.Config) { carryAs(c, "ack", services.Kafka) },
		Sabotages: []Sabotage{{Name: "nobody is killed", Change: func(c *lab.Config) { c.Events = nil }, Want: verdict.DoesNotHold}},
	}
}

// measureDurability kills orders once in each run. What its mailbox held in ack stays pending for ever.
func measureDurability(ctx context.Context, l *Lab) (Figures, error) {
	var arms []Arm
	at := (placing(l.size.Orders, l.size.Rate) / 2).Round(time.Millisecond)
	killed := outage{entryService, at, at + deadFor}
	for _, form := range []services.Form{"ack", services.Kafka} {
		config := l.Config(flows.Order(), form)
		config.Store, config.Events = onDisk, killed.events("kill")
		if config.Deadline = longestRecovery; form == "ack" {
			config.Deadline = shortestRecovery // what its mailbox held stays pending
		}
		arms = append(arms, Arm{Name: string(form), Config: config})
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	l.Fair(append(append([]*Ran{}, runs["ack"]...), runs["kafka"]...)...)
	l.SteadyBefore(runs["ack"], "ack", killed, steadyWithin)
	var f Figures
	for _, form := range []services.Form{"ack", services.Kafka} {
		gone, all, told := 0, 0, 0
		for _, ran := range runs[string(form)] {
			orders := ran.Orders(form)
			gone, all, told = gone+count(orders, lost), all+len(orders)-count(orders, unanswered), told+count(orders, unanswered)
		}
		f.Count(string(form), acceptedLost, gone, all)
		f.Count(string(form), toldErrors, told, all+told)
	}
	numbers := numbersOf(runs["ack"][0].Orders("ack"), lost)
	if len(numbers) == 0 { // nothing was lost: no order shows it
		numbers = []int{-1}
	}
	return f, l.Show(runs["ack"][0], "ack", numbers...)
}

// How long a lab waits for orders that are pending after a kill, and for the spans that were lost with it: these never come.
const (
	longestRecovery  = 12 * time.Second // until the session of a killed consumer has ended, 6 s, and others have its partitions
	shortestRecovery = 2 * time.Second
)

// endsUnfinished tells whether an answered order was never completed.
func endsUnfinished(j *journey.Journey) error {
	if root, ok := j.Root(); !ok || j.Set().Failed(root) {
		return errors.New("its client was told of an error")
	}
	if stepsNamed(j, "orders.Complete") > 0 {
		return errors.New("it was completed")
	}
	return nil
}
