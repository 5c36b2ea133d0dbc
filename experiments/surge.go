package experiments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// peakArm is a form with a queue of its own.
type peakArm struct {
	name  string
	form  services.Form
	queue int // 0: without an end
}

// surgeArms are both forms, with the usual queue and with that of the other.
func surgeArms() []peakArm {
	return []peakArm{
		{"grpc", services.GRPC, usualQueue}, {"kafka", services.Kafka, 0},
		{"grpc, queue without an end", services.GRPC, 0}, {"kafka, queue of 32", services.Kafka, usualQueue},
	}
}

// places is the queue as the simulation has it.
func (a peakArm) places() int {
	if a.queue == 0 {
		return simulation.Unbounded
	}
	return a.queue
}

// surge: who is refused at a peak, and whether the broker has to do with it.
func surge() Claim {
	const delta = 0.05 // share
	return Claim{
		Name:      "surge",
		Statement: "queues absorb peaks; nothing is refused",
		Rule:      "of the orders that come in a peak of five times the rate, at most 5 % get an error in kafka, whose queue has no end, and at least 20 % in grpc, whose queue has 32 places. It is the queue's doing, not the broker's, when equal queues give shares within 5 points",
		Delta:     Amount{delta, "share"}, Budget: 27 * time.Second, Size: peakSize, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "an order that was refused: payment's server span ends at once with queue_full, and has no payment.Charge in it", Seen: wasRefused},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			flow := flows.Order()
			before, err := predictBeforePeak(flow, "grpc", services.GRPC, size, k)
			if err != nil {
				return nil, err
			}
			list := []Prediction{before}
			for _, arm := range surgeArms() {
				p, err := predictPeak(flow, arm.name, arm.form, size, arm.places(), k)
				if err != nil {
					return nil, err
				}
				list = append(list, p...)
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			return measurePeak(ctx, l, flows.Order(), surgeArms())
		},
		Decide: func(f Figures) (Decision, error) {
			d, err := decidePeak(f)
			bounded, err2 := f.gap(peakErrors, "grpc", "kafka, queue of 32")
			unbounded, err3 := f.gap(peakErrors, "grpc, queue without an end", "kafka")
			d.Beside = []verdict.Part{
				{Name: "kafka less grpc, queues of 32", Estimate: bounded, Want: verdict.Within(0, delta)},
				{Name: "kafka less grpc, without an end", Estimate: unbounded, Want: verdict.Within(0, delta)},
			}
			return d, errors.Join(err, err2, err3)
		},
		Draw: drawPeak,
		Alike: func(c *lab.Config) {
			carryAs(c, services.Kafka, services.GRPC)
			c.Flow = paymentQueue(c.Flow, peakWorkers, usualQueue)
		},
		Sabotages: []Sabotage{
			{Name: "no queue has an end", Change: func(c *lab.Config) { c.Flow = paymentQueue(c.Flow, peakWorkers, 0) }, Want: verdict.DoesNotHold},
			{Name: "there is no peak", Change: func(c *lab.Config) { c.Surge = lab.Surge{} }, Want: verdict.DoesNotHold},
		},
	}
}

// decidePeak is the verdict on a peak where each form has its usual queue.
func decidePeak(f Figures) (Decision, error) {
	const least, most = 0.2, 0.05
	kafka, err := f.mean("kafka", peakErrors)
	grpc, err2 := f.mean("grpc", peakErrors)
	return Decision{Parts: []verdict.Part{
		{Name: "kafka, client errors of the peak", Estimate: kafka, Want: verdict.AtMost(most)},
		{Name: "grpc, client errors of the peak", Estimate: grpc, Want: verdict.AtLeast(least)},
	}}, errors.Join(err, err2)
}

// measurePeak runs all arms, and shows an order of grpc that was refused.
func measurePeak(ctx context.Context, l *Lab, flow *flows.Flow, peakArms []peakArm) (Figures, error) {
	var arms []Arm
	for _, arm := range peakArms {
		arms = append(arms, Arm{Name: arm.name, Config: peakOf(l.Config(paymentQueue(flow, peakWorkers, arm.queue), arm.form))})
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var f Figures
	waitsBeforePeak(l, &f, peakArms[0].name, peakArms[0].form, runs[peakArms[0].name])
	for _, arm := range peakArms {
		if err := errors.Join(peakFigures(&f, arm.name, arm.form, runs[arm.name]), f.underWay(arm.name, runs[arm.name][0], arm.form)); err != nil {
			return nil, err
		}
	}
	first := runs[peakArms[0].name][0]
	refused := numbersOf(first.Orders(services.GRPC), unanswered)
	return f, l.Show(first, services.GRPC, refused...)
}

// wasRefused tells whether payment did not take an order.
func wasRefused(j *journey.Journey) error {
	set := j.Set()
	for _, i := range j.Spans() {
		if step, ok := set.Span(i).Attr("tracelab.refused"); ok && step.String() == string(chargeStep) {
			if n := stepsNamed(j, chargeStep); n > 0 {
				return fmt.Errorf("%s was refused, and done %d times", chargeStep, n)
			}
			return nil
		}
	}
	return fmt.Errorf("nobody refused %s", chargeStep)
}
