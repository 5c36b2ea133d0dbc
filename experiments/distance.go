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

// distances are the round trips between the regions that the services stand in.
func distances() []time.Duration {
	return []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond}
}

// Measures of distance: how many round trips are felt.
const (
	waitTrips       = "wait, in round trips"
	completionTrips = "completion, in round trips"
)

// distance: what it costs that services stand far apart. The gateway and orders stand with the client. A consumer has one fetch under way, so of the three
// records that end an order the last ones wait for the next one, a round trip later. Orders come so rarely that none meets the fetches of another.
func distance() Claim {
	const delta = 0.5 // round trips
	return Claim{
		Name:      "distance",
		Statement: "sync is for services in one region",
		Rule:      "with each service and the broker in a region of its own the caller's wait grows by at least 3 round trips in grpc, one for each call on its way, and by one in kafka, the acknowledgement; the completion grows by at least 3 in both",
		Delta:     Amount{delta, "round trips"}, Budget: 10 * time.Second, Size: Size{Orders: 20, Rate: 6, Seeds: 1}, Kind: Calm, Needs: Needs{Embedded: true},
		Signature: Signature{Words: "gaps of a round trip between a client's span and its server's, and between a send span and its process span, where there were none", Seen: func(j *journey.Journey) error {
			if j.Completion() < 3*distances()[2] {
				return fmt.Errorf("it takes %v", j.Completion())
			}
			return nil
		}},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range []services.Form{services.GRPC, services.Kafka} {
				path, err := Path(flows.Order(), form, size.Seed, 0, k)
				if err != nil {
					return nil, err
				}
				wait, completion, err := path.DistanceSlope()
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: string(form), Measure: waitTrips, Value: float64(wait)}, Prediction{Arm: string(form), Measure: completionTrips, Value: float64(completion)})
			}
			return list, nil
		},
		Measure: measureDistances,
		Decide: func(f Figures) (Decision, error) {
			var parts []verdict.Part
			var errs []error
			for _, p := range []struct {
				form, measure string
				want          verdict.Region
			}{
				{"grpc", waitTrips, verdict.MoreThan(3 - delta)}, {"kafka", waitTrips, verdict.Within(1, delta)},
				{"grpc", completionTrips, verdict.MoreThan(3 - delta)}, {"kafka", completionTrips, verdict.MoreThan(3 - delta)},
			} {
				values, err := f.Values(p.form, p.measure)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				e, err := verdict.Quantile(Values(values).known(), 0.5)
				errs, parts = append(errs, err), append(parts, verdict.Part{Name: p.form + ", " + p.measure, Estimate: e, Want: p.want})
			}
			return Decision{Parts: parts}, errors.Join(errs...)
		},
		Draw: func(f Figures) Plot {
			p := Plot{Title: "How long does the caller wait, and when is all done, at such a distance?", X: "round trip, ms", Y: "ms"}
			for _, form := range []string{"grpc", "kafka"} {
				wait, done := f.curve(form, Wait, form), f.curve(form, Completion, form)
				wait.Name, done.Name, done.Dashed = form+", wait", form+", completion", true
				p.Lines = append(p.Lines, wait, done)
			}
			return p
		},
		Alike: func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{
			{Name: "kafka is carried by calls", Change: func(c *lab.Config) { carryAs(c, services.Kafka, services.GRPC) }, Want: verdict.DoesNotHold},
			{Name: "nothing is far", Change: func(c *lab.Config) { c.Links = nil }, Want: verdict.DoesNotHold},
		},
	}
}

// apart puts every service but those in front, and the broker, so far from each other.
func apart(c *lab.Config, roundTrip time.Duration) error {
	if roundTrip == 0 {
		return nil
	}
	front := c.Flow.Entry().Service()
	for _, service := range c.Flow.Services() {
		ways := []string{service + ">kafka"}
		if service != front {
			ways = append(ways, front+">"+service)
		}
		for _, way := range ways {
			l, err := lab.ParseLink(c.Flow, fmt.Sprintf("%s:latency=%v", way, roundTrip/2))
			if err != nil {
				return err
			}
			c.Links = append(c.Links, l)
		}
	}
	return nil
}

// measureDistances runs a lab for each distance, and takes the slope of each order over the distances.
func measureDistances(ctx context.Context, l *Lab) (Figures, error) {
	forms := []services.Form{services.GRPC, services.Kafka}
	type key struct {
		form    services.Form
		measure string
	}
	var arms []Arm
	for _, trip := range distances() {
		config := l.Config(flows.Order(), forms...)
		if err := apart(&config, trip); err != nil {
			return nil, err
		}
		arms = append(arms, Arm{Name: trip.String(), Config: config})
	}
	runs, err := l.Repeat(ctx, len(arms), arms...) // side by side: they wait for their links nearly all the time
	if err != nil {
		return nil, err
	}
	values := map[key][][]float64{}
	var x []int
	for _, trip := range distances() {
		ran := runs[trip.String()][0]
		x = append(x, int(trip.Milliseconds()))
		for _, form := range forms {
			for _, m := range []string{Wait, Completion} {
				list, err := ran.Measure(form, m)
				if err != nil {
					return nil, err
				}
				values[key{form, m}] = append(values[key{form, m}], list)
			}
		}
		if trip == distances()[len(distances())-1] {
			if err := l.Show(ran, services.GRPC); err != nil {
				return nil, err
			}
		}
	}
	var f Figures
	for _, form := range forms {
		f.PerOrder(string(form), waitTrips, "round trips", slopes(x, values[key{form, Wait}]))
		f.PerOrder(string(form), completionTrips, "round trips", slopes(x, values[key{form, Completion}]))
		f.overMedians(string(form), Wait, "round trip, ms", x, values[key{form, Wait}])
		f.overMedians(string(form), Completion, "round trip, ms", x, values[key{form, Completion}])
	}
	return f, nil
}
