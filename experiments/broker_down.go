package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// Arms with and without an outbox.
const (
	withoutOutbox = "outbox off"
	withOutbox    = "outbox on"
)

// heldUp names the orders whose client got an error, or an answer that the outage made late.
const heldUp = "held up"

// mostPatient is how long a client waits that does not feel an outage.
const mostPatient = 400 * time.Millisecond

// brokerDown: who feels it when the broker is away.
func brokerDown() Claim {
	const least, most = 0.5, 0.05 // shares
	return Claim{
		Name:      "broker-down",
		Statement: "the broker can become the single point of failure",
		Rule:      "while the broker is stopped, at least half of kafka's orders have a client error or wait over 0.4 s where the message is sent before the answer; with an outbox in the store at most δ do, and none is lost",
		Delta:     Amount{most, "share"}, Budget: 20 * time.Second, Size: Size{Orders: 100, Rate: 20, Seeds: 3}, Kind: Repeated, Needs: Needs{Embedded: true},
		Signature: Signature{Words: "a create span under the call that was answered, and its send span only when the broker is back: what lies between is the outbox", Seen: leftInOutbox},
		Predict:   predictBrokerDown,
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			down := outageIn(kafkaPart, l.size.Orders, l.size.Rate, longestOutage)
			calls := l.Config(flows.Order(), services.GRPC)
			calls.Events = down.events("stop")
			arms := []Arm{{Name: "grpc", Config: calls}}
			for _, name := range []string{withoutOutbox, withOutbox} {
				config := l.Config(flows.Order(), services.Kafka)
				config.Events, config.Store, config.NoOutbox = down.events("stop"), onDisk, name == withoutOutbox
				arms = append(arms, Arm{Name: name, Config: config})
			}
			runs, err := l.Repeat(ctx, atATime, arms...)
			if err != nil {
				return nil, err
			}
			off, on := runs[withoutOutbox], runs[withOutbox]
			l.Fair(slices.Concat(off, on, runs["grpc"])...)
			l.SteadyBefore(on, services.Kafka, down, steadyWithin)
			l.Gate(promptBefore(slices.Concat(off, on), down))
			var f Figures
			f.Shares(withoutOutbox, heldUp, off, among(duringOf(services.Kafka, down), late))
			f.Shares(withOutbox, heldUp, on, among(duringOf(services.Kafka, down), late))
			f.Shares("grpc", heldUp, runs["grpc"], among(duringOf(services.GRPC, down), late))
			f.Shares(withoutOutbox, duringErrors, off, among(duringOf(services.Kafka, down), unanswered))
			for _, arm := range arms {
				f.overPlaced(arm.Name, waitsOver, "ms", runs[arm.Name], arm.Config.Forms[0], longestWait)
			}
			f.lost(withoutOutbox, services.Kafka, off)
			f.lost(withOutbox, services.Kafka, on)
			return f, l.Show(on[0], services.Kafka, numbersOf(on[0].during(services.Kafka, down), anyOrder)...)
		},
		Decide: func(f Figures) (Decision, error) {
			off, err := f.mean(withoutOutbox, heldUp)
			on, err2 := f.mean(withOutbox, heldUp)
			gone, err3 := f.counted(withOutbox, answeredAlone)
			calls, err4 := f.mean("grpc", heldUp)
			return Decision{Parts: []verdict.Part{
				{Name: "outbox off: held up, share", Estimate: off, Want: verdict.AtLeast(least)},
				{Name: "outbox on: held up, share", Estimate: on, Want: verdict.AtMost(most)},
				{Name: "outbox on: orders lost", Estimate: gone, Want: verdict.AtMost(0)},
			}, Beside: []verdict.Part{{Name: "grpc: held up, share", Estimate: calls}}}, errors.Join(err, err2, err3, err4)
		},
		Draw: func(f Figures) Plot {
			return Plot{Title: "How long does a caller wait at most, placed before, during and after the outage?", X: overTime, Y: "ms", Lines: f.curves(waitsOver)}
		},
		Alike: func(c *lab.Config) { c.NoOutbox = false },
		Sabotages: []Sabotage{
			{Name: "the broker stays", Change: func(c *lab.Config) { c.Events = nil }, Want: verdict.DoesNotHold},
			{Name: "no outbox in any arm", Change: func(c *lab.Config) { c.NoOutbox = c.Store != "" }},
		},
	}
}

// predictBrokerDown: who sends before the answer waits until the broker is back, which is over 0.4 s for all but the last.
func predictBrokerDown(size Size, _ Constants) ([]Prediction, error) {
	down := outageIn(kafkaPart, size.Orders, size.Rate, longestOutage)
	return []Prediction{
		{Arm: withoutOutbox, Measure: heldUp, Value: max(0, 1-float64(mostPatient)/float64(down.lasts()))},
		{Arm: withOutbox, Measure: heldUp}, {Arm: "grpc", Measure: heldUp},
	}, nil
}

// late tells whether a client was held up by an outage.
func late(o rundir.Order) bool { return !o.Answered() || time.Duration(o.CallerWait) > mostPatient }

// promptBefore is the gate on the time before the outage: nobody is held up by something else, such as a slow disk.
func promptBefore(runs []*Ran, down outage) verdict.Gate {
	held, of := 0, 0
	for _, ran := range runs {
		orders := ran.between(services.Kafka, 0, down.from-inFlight)
		held, of = held+count(orders, late), of+len(orders)
	}
	g := verdict.Gate{Name: "nobody held up before the outage", Passed: held*100 <= of, Measured: fmt.Sprintf("%d of %d orders wait over %v, at most 1 %%", held, of, mostPatient)}
	if !g.Passed {
		g.Change = "lower the rate, or use a faster disk: the store writes several times for each order"
	}
	return g
}

// duringOf picks a form's orders of an outage.
func duringOf(form services.Form, down outage) func(*Ran) []rundir.Order {
	return func(r *Ran) []rundir.Order { return r.during(form, down) }
}

// lost adds how many orders were answered and not completed.
func (f *Figures) lost(arm string, form services.Form, runs []*Ran) {
	f.lostAs(arm, answeredAlone, form, runs)
}

// lostAs is lost under another name.
func (f *Figures) lostAs(arm, measure string, form services.Form, runs []*Ran) {
	gone, all := 0, 0
	for _, ran := range runs {
		gone, all = gone+count(ran.Orders(form), lost), all+len(ran.Orders(form))
	}
	f.Count(arm, measure, gone, all)
}

// leftInOutbox tells whether a message was made for an answered call and sent long after the answer.
func leftInOutbox(j *journey.Journey) error {
	set := j.Set()
	root, ok := j.Root()
	if !ok {
		return errors.New("it has no root")
	}
	_, answered := set.Times(root)
	made, sent := false, false
	for _, i := range j.Spans() {
		m, ok := set.Span(i).Messaging()
		if !ok {
			continue
		}
		start, _ := set.Times(i)
		made = made || m.Operation == semconv.OperationCreate && start < answered
		sent = sent || m.Operation == semconv.OperationSend && start > answered+int64(visibleWaiting)
	}
	switch {
	case !made:
		return errors.New("no message was made before the answer")
	case !sent:
		return fmt.Errorf("no message was sent %v after the answer", visibleWaiting)
	}
	return nil
}
