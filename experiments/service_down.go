package experiments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/model/simulation"
	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Measures of an outage. In a table they stand behind their arm, so they are short.
const (
	duringErrors  = "errors meanwhile" // at the client
	afterErrors   = "errors after it"
	answeredAlone = "lost"     // answered, and not completed
	backlogThen   = "backlog"  // records that wait when the service is back
	catchUp       = "catch-up" // from then on until none waits
)

// Sizes of the outage of one service.
const (
	longestOutage  = 2 * time.Second
	payingWorkers  = 2 // so that catching up takes a time that can be measured
	steadyWithin   = 20.0
	visibleWaiting = 150 * time.Millisecond // of a record that waited for a service
)

// serviceDown: who hears of a service that is away, and what becomes of the orders.
func serviceDown() Claim {
	const least, most = 0.5, 0.05 // shares
	return Claim{
		Name:      "service-down",
		Statement: "a failure of one does not fail the other",
		Rule:      "while payment is stopped, at least half of grpc's orders end with an error at the client, and at most δ of kafka's, of which none is lost; the backlog and the time to catch up stand beside λT and λT/(μ−λ)",
		Delta:     Amount{most, "share"}, Budget: 12 * time.Second, Size: Size{Orders: 200, Rate: 40, Seeds: 3}, Kind: Repeated,
		Signature: Signature{Words: "a record that waits for payment as long as payment is away: a gap between its send span and payment's process span", Seen: waitedFor(paymentService)},
		Predict:   predictServiceDown,
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			down := outageIn(paymentService, l.size.Orders, l.size.Rate, longestOutage)
			runs, err := l.outageOf(ctx, down, flows.Order(), services.GRPC, services.Kafka)
			if err != nil {
				return nil, err
			}
			var f Figures
			f.outage("grpc", services.GRPC, runs["grpc"], down)
			f.outage("kafka", services.Kafka, runs["kafka"], down)
			if err := f.backlog("kafka", runs["kafka"], services.Kafka, paymentService, down); err != nil {
				return nil, err
			}
			return f, l.Show(runs["kafka"][0], services.Kafka, numbersOf(runs["kafka"][0].during(services.Kafka, down), anyOrder)...)
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.mean("grpc", duringErrors)
			kafka, err2 := f.mean("kafka", duringErrors)
			lost, err3 := f.counted("kafka", answeredAlone)
			return Decision{Parts: []verdict.Part{
				{Name: "grpc: client errors, share", Estimate: grpc, Want: verdict.AtLeast(least)},
				{Name: "kafka: client errors, share", Estimate: kafka, Want: verdict.AtMost(most)},
				{Name: "kafka: orders lost", Estimate: lost, Want: verdict.AtMost(0)},
			}}, errors.Join(err, err2, err3)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How many records wait for payment, in the first run?", X: overTime, Y: "records", Lines: f.curves(waitingNow)}
		},
		Alike:     func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC) },
		Sabotages: []Sabotage{{Name: "payment stays", Change: func(c *lab.Config) { c.Events = nil }, Want: verdict.DoesNotHold}},
	}
}

// predictServiceDown predicts by the fluid limit: λT records wait, and λT/(μ−λ) passes until none does. Calls fail on until their client is connected again.
func predictServiceDown(size Size, k Constants) ([]Prediction, error) {
	down := outageIn(paymentService, size.Orders, size.Rate, longestOutage)
	o := model.Overload{Arrivals: size.Rate, Lasts: down.lasts()}
	backlog, err := o.Backlog()
	busy, err2 := meanBusy(flows.Order(), services.Kafka, chargeStep, size, k)
	until, err3 := o.CatchUp(size.Rate, payingWorkers/busy.Seconds())
	late, err4 := lateAfter(down.lasts(), size.Seed)
	return []Prediction{
		{Arm: "grpc", Measure: duringErrors, Value: 1}, {Arm: "grpc", Measure: afterErrors, Value: late.Seconds() / (placing(size.Orders, size.Rate) - down.to).Seconds()},
		{Arm: "kafka", Measure: duringErrors}, {Arm: "kafka", Measure: afterErrors},
		{Arm: "kafka", Measure: backlogThen, Value: backlog}, {Arm: "kafka", Measure: catchUp, Value: milliseconds(until)},
	}, errors.Join(err, err2, err3, err4)
}

// lateAfter is for how long a client of a service that was away is still without it, as the services' gRPC clients come back.
func lateAfter(outage time.Duration, seed uint64) (time.Duration, error) {
	b := services.Reconnect()
	back := simulation.Reconnect{First: b.BaseDelay, Times: b.Multiplier, Most: b.MaxDelay, Jitter: b.Jitter}
	return back.Late(outage, seed, 1000)
}

// outageOf repeats runs in which a service is stopped, each form by itself, and has their gates checked.
func (l *Lab) outageOf(ctx context.Context, down outage, flow *flows.Flow, forms ...services.Form) (map[string][]*Ran, error) {
	var arms []Arm
	for _, form := range forms {
		config := l.Config(flow, form)
		config.Events = down.events("stop")
		workersOf(&config, down.part, payingWorkers)
		arms = append(arms, Arm{Name: string(form), Config: config})
	}
	runs, err := l.Repeat(ctx, atATime, arms...)
	if err != nil {
		return nil, err
	}
	var all []*Ran
	for _, form := range forms {
		all = append(all, runs[string(form)]...)
	}
	l.Fair(all...)
	l.SteadyBefore(runs[string(forms[0])], forms[0], down, steadyWithin)
	return runs, nil
}

// outage adds who heard of an outage in one arm, and what was lost.
func (f *Figures) outage(arm string, form services.Form, runs []*Ran, down outage) {
	f.Shares(arm, duringErrors, runs, among(duringOf(form, down), unanswered))
	hits, of := 0, 0
	for _, ran := range runs {
		after := ran.between(form, down.to, math.MaxInt64)
		hits, of = hits+count(after, unanswered), of+len(after)
	}
	f.Count(arm, afterErrors, hits, of)
	f.lost(arm, form, runs)
}

// waitedFor tells whether a record waited for a service that was away: for any, when none is named.
func waitedFor(service string) func(*journey.Journey) error {
	return func(j *journey.Journey) error {
		for _, m := range j.Messages() {
			if (service == "" || j.Set().Span(m.Consumer).Service == service) && m.Wait >= visibleWaiting {
				return nil
			}
		}
		return fmt.Errorf("no record waited %v for %s", visibleWaiting, cmp.Or(service, "any service"))
	}
}
