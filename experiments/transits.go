package experiments

import (
	"context"
	"errors"
	"slices"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
)

// Measures of how often an order's data cross the network.
const (
	callsMade  = "calls"
	published  = "records published"
	delivered  = "records delivered"
	components = "components beside the services"
)

// hops: whether a broker saves a transit that a load balancer costs.
func hops() Claim {
	return Claim{
		Name:      "hops",
		Statement: "messages need no extra hop through a load balancer",
		Rule:      "an order in kafka crosses the network at least once less often than one in grpc with a balancer in front of every service: a balanced call crosses it 4 times, a record 2 times on its way to the broker (there and acknowledged) and once for each delivery",
		Delta:     Amount{1, "transits"}, Budget: time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "a pair of a client's and a server's span for each call; a send span for each record, and a process span for each delivery", Seen: carriedByMessages},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			ran, err := l.Corners(ctx)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range []services.Form{services.GRPC, services.Kafka} {
				for _, m := range []struct {
					name string
					of   func(*journey.Journey) (float64, bool)
				}{{callsMade, calls}, {published, records}, {delivered, deliveries}} {
					values, err := ran.Each(form, m.of)
					if err != nil {
						return nil, err
					}
					f.PerOrder(string(form), m.name, "an order", values)
				}
			}
			return f, l.Show(ran, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			balanced, n, err := f.transits("grpc", 4)
			direct, _, err2 := f.transits("grpc", 2)
			kafka, _, err3 := f.transits("kafka", 4)
			if err = errors.Join(err, err2, err3); err != nil {
				return Decision{}, err
			}
			return Decision{
				Parts: []verdict.Part{{Name: "kafka less balanced grpc, transits", Estimate: verdict.Exact(kafka-balanced, n, "orders"), Want: verdict.AtMost(-1)}},
				Beside: []verdict.Part{
					{Name: "kafka, transits", Estimate: verdict.Exact(kafka, n, "orders")}, {Name: "grpc behind balancers, transits", Estimate: verdict.Exact(balanced, n, "orders")},
					{Name: "grpc without them, transits", Estimate: verdict.Exact(direct, n, "orders")},
				},
			}, nil
		},
		Draw: func(f Figures) Plot {
			p := Plot{Title: "How often does an order cross the network?", X: "transits"}
			for _, bar := range []struct {
				name, form string
				call       float64
			}{{"kafka", "kafka", 4}, {"grpc behind balancers", "grpc", 4}, {"grpc without them", "grpc", 2}} {
				if n, _, err := f.transits(bar.form, bar.call); err == nil {
					p.Bars = append(p.Bars, Bar{Name: bar.name, Form: bar.form, Value: n, Low: n, High: n})
				}
			}
			return p
		},
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "grpc is hybrid, with fewer calls and more messages", Change: func(c *lab.Config) { carryAs(c, services.GRPC, services.Hybrid) }, Want: verdict.Holds}},
	}
}

// transits is how often an order of a form crosses the network, at the median, when a call crosses it so many times.
func (f Figures) transits(form string, call float64) (transits float64, n int, err error) {
	for _, m := range []struct {
		name  string
		times float64
	}{{callsMade, call}, {published, 2}, {delivered, 1}} {
		values, err := f.Values(form, m.name)
		if err != nil {
			return 0, 0, err
		}
		known := Values(values).known()
		if len(known) == 0 {
			return 0, 0, errors.New("no journey of " + form + " is complete")
		}
		transits, n = transits+m.times*middle(known), len(known)
	}
	return transits, n, nil
}

// calls counts a journey's calls by their servers.
func calls(j *journey.Journey) (float64, bool) {
	n := 0
	for _, i := range j.Spans() {
		if j.Set().Span(i).Kind == journey.KindServer {
			n++
		}
	}
	return float64(n), true
}

// records counts the records that were sent.
func records(j *journey.Journey) (float64, bool) {
	sent := map[journey.Index]bool{}
	for _, m := range j.Messages() {
		sent[m.Producer] = true
	}
	return float64(len(sent)), true
}

// deliveries counts a record once for each group that handled it.
func deliveries(j *journey.Journey) (float64, bool) { return float64(len(j.Messages())), true }

// extraParts: what messages need beside the services.
func extraParts() Claim {
	return Claim{
		Name:      "extra-parts",
		Statement: "sync needs no additional components",
		Rule:      "the traces of grpc show no component beside the services, and those of kafka at least one: brokers, topics and consumer groups count",
		Delta:     Amount{1, "components"}, Budget: time.Second, Size: cornersSize, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "messaging.system, destinations and consumer groups on kafka's spans", Seen: carriedByMessages},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
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
				journeys, err := ran.Journeys(form)
				if err != nil {
					return nil, err
				}
				parts, seen := partsOf(journeys)
				f = append(f, Figure{Arm: string(form), Measure: components, Unit: "kinds", Per: PerRun, Values: Values{float64(parts)}})
				for _, kind := range seen {
					f = append(f, Figure{Arm: string(form), Measure: kind.name, Unit: "", Per: PerRun, Values: Values{float64(kind.n)}})
				}
			}
			return f, l.Show(ran, services.Kafka)
		},
		Decide: func(f Figures) (Decision, error) {
			grpc, err := f.Values("grpc", components)
			kafka, err2 := f.Values("kafka", components)
			if err = errors.Join(err, err2); err != nil {
				return Decision{}, err
			}
			return Decision{Parts: []verdict.Part{
				{Name: "components of grpc", Estimate: verdict.Exact(grpc[0], 1, "runs"), Want: verdict.AtMost(0)},
				{Name: "kafka less grpc", Estimate: verdict.Exact(kafka[0]-grpc[0], 1, "runs"), Want: verdict.AtLeast(1)},
			}}, nil
		},
		Draw:      func(f Figures) Plot { return f.bars("How many components are there beside the services?", components) },
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "grpc is carried by messages", Change: func(c *lab.Config) { carryAs(c, services.GRPC, services.Kafka) }, Want: verdict.DoesNotHold}},
	}
}

// kindOfPart is how many of one kind of component the traces name.
type kindOfPart struct {
	name string
	n    int
}

// partsOf counts the components that journeys name beside the services.
func partsOf(journeys []*journey.Journey) (all int, kinds []kindOfPart) {
	named := []map[string]bool{{}, {}, {}}
	for _, j := range journeys {
		if j == nil {
			continue
		}
		for _, i := range j.Spans() {
			m, ok := j.Set().Span(i).Messaging()
			if !ok {
				continue
			}
			for at, name := range []string{m.System, m.Topic(), m.Group} {
				if name != "" {
					named[at][name] = true
				}
			}
		}
	}
	for at, name := range []string{"brokers' systems", "topics", "consumer groups"} {
		kinds = append(kinds, kindOfPart{name, len(named[at])})
		all += len(named[at])
	}
	return all, slices.DeleteFunc(kinds, func(k kindOfPart) bool { return k.n == 0 })
}
