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

// crashes is where payment is killed: its work is noted as done, and the record is not committed.
const crashes = "payment:crash=after-store@0.1"

// Measures of what came twice.
const (
	cameAgain = "hit, again"
	bystander = "others, again"
	noEffect  = "repeats skipped"
)

// crashRecovery is how long a lab waits for orders that are pending after a crash, whose service leaves its group at once.
const crashRecovery = 8 * time.Second

// Arms of duplicates.
const (
	isKilled  = "killed"
	isHealthy = "not killed"
)

// duplicates: what a consumer that is killed between its work and its commit does to an order.
func duplicates() Claim {
	return Claim{
		Name:      "duplicates",
		Statement: "retries may deliver twice",
		Rule:      "payment is killed between its work and its commit: at least one record is delivered twice, none without a kill; every effect is had once, and the second handling is marked in the trace (\"hit, again\": orders that the kill hit; \"others, again\": those that were not committed yet)",
		Delta:     Amount{1, "orders"}, Budget: 14 * time.Second, Size: Size{Orders: 60, Rate: 30, Seeds: 1}, Kind: Calm,
		Signature: Signature{Words: "a second payment.Charge with tracelab.duplicate, which took no time, under the process span of the same record", Seen: markedAgain},
		Predict: func(size Size, _ Constants) ([]Prediction, error) {
			return []Prediction{
				{Arm: isKilled, Measure: cameAgain, Value: 1}, {Arm: isKilled, Measure: doneTwice}, {Arm: isHealthy, Measure: bystander},
			}, nil
		},
		Measure: measureDuplicates,
		Decide: func(f Figures) (Decision, error) {
			again, err := f.counted(isKilled, noEffect)
			never, err2 := f.counted(isHealthy, noEffect)
			twice, err3 := f.counted(isKilled, doneTwice)
			hit, of, err4 := f.Share(isKilled, cameAgain)
			gone, err5 := f.counted(isKilled, notDone)
			return Decision{Parts: []verdict.Part{
				{Name: "handlings that came again", Estimate: again, Want: verdict.AtLeast(1)},
				{Name: "the same without a kill", Estimate: never, Want: verdict.AtMost(0)},
				{Name: "effects had twice", Estimate: twice, Want: verdict.AtMost(0)},
				{Name: "orders hit without the mark", Estimate: verdict.Exact(float64(of-hit), of, "orders"), Want: verdict.AtMost(0)},
				{Name: "orders not completed", Estimate: gone, Want: verdict.AtMost(0)},
			}}, errors.Join(err, err2, err3, err4, err5)
		},
		Draw: func(f Figures) Plot {
			return f.bars("Which share of the handlings came again, without an effect?", noEffect)
		},
		Alike: func(c *lab.Config) { c.Faults = nil },
		Sabotages: []Sabotage{
			{Name: "handlers repeat their effects", Change: func(c *lab.Config) { c.NoDedupe = true }, Want: verdict.DoesNotHold},
			{Name: "what was done is forgotten with the process", Change: func(c *lab.Config) { c.Store = "" }, Want: verdict.DoesNotHold},
		},
	}
}

// measureDuplicates runs a lab in which payment is killed, and one in which it is not.
func measureDuplicates(ctx context.Context, l *Lab) (Figures, error) {
	var f Figures
	var all []*Ran
	for _, name := range []string{isHealthy, isKilled} {
		config := l.Config(flows.Order(), services.Kafka)
		config.Store, config.Deadline = onDisk, crashRecovery
		if name == isKilled {
			var err error
			if config.Faults, err = parseFaults(config.Flow, crashes); err != nil {
				return nil, err
			}
		}
		ran, err := l.Run(ctx, config)
		if err != nil {
			return nil, err
		}
		all = append(all, ran)
		if err := f.repeats(name, ran); err != nil {
			return nil, err
		}
		if name == isKilled {
			if err := l.Show(ran, services.Kafka, hitOrders(ran.Orders(services.Kafka))...); err != nil {
				return nil, err
			}
		}
	}
	l.Fair(all...)
	return f, nil
}

// repeats adds what came twice in one arm.
func (f *Figures) repeats(arm string, ran *Ran) error {
	journeys, err := ran.Journeys(services.Kafka)
	if err != nil {
		return err
	}
	hit, again, beside := 0, 0, 0
	orders := ran.Orders(services.Kafka)
	for i, o := range orders {
		marked := journeys[i] != nil && markedAgain(journeys[i]) == nil
		switch {
		case len(o.Hit) > 0:
			if hit++; marked {
				again++
			}
		case marked:
			beside++
		}
	}
	e := ran.Result.Forms[services.Kafka].Effects
	f.Count(arm, noEffect, e.Skipped, e.Once+e.Skipped+e.Twice)
	f.Count(arm, doneTwice, e.Twice, e.Once+e.Twice)
	if hit > 0 {
		f.Count(arm, cameAgain, again, hit)
	}
	f.Count(arm, bystander, beside, len(orders)-hit)
	f.Count(arm, notDone, count(orders, func(o rundir.Order) bool { return o.Outcome != "completed" }), len(orders))
	return nil
}

// markedAgain tells whether payment's second handling of a record is marked.
func markedAgain(j *journey.Journey) error {
	for _, i := range j.Spans() {
		span := j.Set().Span(i)
		if name, ok := span.Attr(services.KeyStep); !ok || name.String() != string(chargeStep) {
			continue
		}
		if again, ok := span.Attr(services.KeyDuplicate); ok && again.String() == "true" {
			return nil
		}
	}
	return fmt.Errorf("no %s is marked as a duplicate", chargeStep)
}
