package experiments

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// answeredInTime names the share of orders that were answered well, and soon.
const answeredInTime = "in time"

// Availability is that of clients who wait for no more than clientPatience. Each part is away once in a run, for outageShare of it.
const (
	clientPatience = 300 * time.Millisecond
	outageShare    = 0.075
	// startRoom lies between the broker's outage and a service's start, which may come late because the service's stop took long.
	startRoom = 500 * time.Millisecond
)

// availability: what of the flow has to be up for a client to be answered.
func availability() Claim {
	const delta = 0.05 // share
	return Claim{
		Name:      "availability",
		Statement: "messaging makes high availability easy",
		Rule:      "every part, the broker included, is away once at a time that the seed draws, the same in all forms: clients of kafka are answered in time, within 0.3 s, more often than those of grpc, by more than δ; the products of what each form needs stand beside",
		Delta:     Amount{delta, "share"}, Budget: 41 * time.Second, Size: Size{Orders: 200, Rate: 75, Seeds: 6}, Kind: Repeated, Needs: Needs{Embedded: true},
		Signature: Signature{Words: "an order of kafka that was answered and finished although a service behind the broker was away: its record waits", Seen: waitedFor("")},
		Predict:   predictAvailability,
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			length := placing(3*l.size.Orders, l.size.Rate)
			plain := l.Config(flows.Order(), services.GRPC, services.Kafka, "ack")
			stored := l.Config(flows.Order(), services.Kafka)
			stored.Rate, stored.Store = l.size.Rate/3, onDisk
			arms := []Arm{{Name: "grpc", Config: plain}, {Name: withOutbox, Config: stored}}
			for i := range arms {
				arms[i].Config.Timeout, arms[i].Config.Deadline = patientClient, settleWithin
				arms[i].Config.Events = make([]lab.Event, 1) // filled in for each seed
				arms[i].Each = func(c *lab.Config) {
					if len(c.Events) > 0 {
						c.Events = drawnOutages(c.Seed, length)
					}
				}
			}
			runs, err := l.Repeat(ctx, moreAtATime, arms...)
			if err != nil {
				return nil, err
			}
			l.Fair(append(append([]*Ran{}, runs["grpc"]...), runs[withOutbox]...)...)
			var f Figures
			inTime := func(arm string, form services.Form, runs []*Ran) {
				f.Shares(arm, answeredInTime, runs, among(func(r *Ran) []rundir.Order { return r.Orders(form) }, soon))
			}
			inTime("grpc", services.GRPC, runs["grpc"])
			inTime("kafka", services.Kafka, runs["grpc"])
			inTime("ack", "ack", runs["grpc"])
			inTime(withOutbox, services.Kafka, runs[withOutbox])
			return f, l.Show(runs["grpc"][0], services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			more, err := f.Difference(answeredInTime, "grpc", "kafka")
			ack, err2 := f.Difference(answeredInTime, "grpc", "ack")
			outbox, err3 := f.Difference(answeredInTime, "grpc", withOutbox)
			return Decision{
				Parts:  []verdict.Part{{Name: "kafka less grpc, share", Estimate: more, Want: verdict.MoreThan(delta)}},
				Beside: []verdict.Part{{Name: "ack less grpc, share", Estimate: ack}, {Name: "outbox on less grpc, share", Estimate: outbox}},
			}, errors.Join(err, err2, err3)
		},
		Draw:      func(f Figures) Plot { return f.bars("Which share of the clients is answered in time?", answeredInTime) },
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "nothing is ever away", Change: func(c *lab.Config) { c.Events = nil }, Want: verdict.DoesNotHold}},
	}
}

// soon tells whether a client was answered well, and soon.
func soon(o rundir.Order) bool { return o.Answered() && time.Duration(o.CallerWait) <= clientPatience }

// drawnOutages draws when each part is away in a run of a length.
func drawnOutages(seed uint64, length time.Duration) []lab.Event {
	away := time.Duration(outageShare * float64(length)).Round(time.Millisecond)
	from := rand.New(rand.NewPCG(seed, 0x0a7a9e)) //nolint:gosec // a draw by the seed
	draw := func(part string) outage {
		at := time.Duration(from.Float64() * float64(length-away)).Round(time.Millisecond)
		return outage{part, at, at + away}
	}
	broker := draw(kafkaPart)
	events := broker.events("stop")
	for _, part := range flows.Order().Services() {
		o := draw(part)
		for o.to >= broker.from-startRoom && o.to < broker.to+startRoom { // no service starts without its broker
			o = draw(part)
		}
		events = append(events, o.events("stop")...)
	}
	return events
}

// productOf names the availability that the parts of an arm would give in the long run: their product.
const productOf = "product of its parts"

// predictAvailability counts for which orders nothing is away that the answer needs, by the outages that the seeds draw, and multiplies the
// availabilities of the parts. A client that waits does not feel the last of the broker's outage; a service is away from its callers until they connect
// again, but for the gateway, which clients reach over HTTP: they connect again for the next order.
func predictAvailability(size Size, _ Constants) ([]Prediction, error) {
	length := placing(3*size.Orders, size.Rate)
	late, err := lateAfter(time.Duration(outageShare*float64(length)), size.Seed)
	if err != nil {
		return nil, err
	}
	after := map[string]time.Duration{kafkaPart: -clientPatience}
	parts := model.Parts{kafkaPart: 1 - max(0, outageShare-clientPatience.Seconds()/length.Seconds())}
	for _, service := range flows.Order().Services() {
		if parts[service] = 1 - outageShare; service != services.Gateway {
			after[service] = late
			parts[service] -= late.Seconds() / length.Seconds()
		}
	}
	var list []Prediction
	for _, arm := range []struct {
		name   string
		form   services.Form
		beside []string
	}{{"grpc", services.GRPC, nil}, {"kafka", services.Kafka, []string{kafkaPart}}, {"ack", "ack", nil}, {withOutbox, services.Kafka, nil}} {
		needed, err := answerNeeds(flows.Order(), arm.form)
		if err != nil {
			return nil, err
		}
		needed = slices.Concat(needed, arm.beside)
		product, err := parts.AllOf(needed...)
		if err != nil {
			return nil, err
		}
		drawn, err := overSeeds(size, func(seed uint64) (float64, error) {
			return upShare(drawnOutages(seed, length), needed, after, size.Orders, length), nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, Prediction{Arm: arm.name, Measure: answeredInTime, Value: drawn}, Prediction{Arm: arm.name, Measure: productOf, Value: product})
	}
	return list, nil
}

// upShare is the share of n orders, placed evenly over a time, that come while no part that they need is away. Each part is away for some time more or
// less than its outage.
func upShare(events []lab.Event, needed []string, more map[string]time.Duration, n int, length time.Duration) float64 {
	up := 0
	for i := range n {
		at := time.Duration(float64(i) / float64(n) * float64(length))
		away := false
		for k := 0; k+1 < len(events); k += 2 { // a stop and a start
			part := events[k].Part
			away = away || slices.Contains(needed, part) && at >= events[k].At && at < events[k+1].At+more[part]
		}
		if !away {
			up++
		}
	}
	return float64(up) / float64(n)
}
