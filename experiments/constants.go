package experiments

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tracelab/experiments/model"
	"tracelab/journey"
	"tracelab/services"
	"tracelab/services/flows"
)

// Constants are the costs that are measured, once in a session, on a calm lab with other orders than those of the claims.
type Constants struct {
	model.Constants
	Front time.Duration `json:"front"` // from the client's start until its answer, without the entry's step: through gateway and entry
	Step  time.Duration `json:"step"`  // what a step takes beyond the waiting that is drawn: its CPU time, and a timer that fires late
	Calls int           `json:"calls"`
	Sent  int           `json:"messages"`
	Steps int           `json:"steps"`
}

// calibrationSeed is far from the seeds of the claims, so that what is predicted is not what the constants were measured on.
const calibrationSeed = 1_000_003

// calibrate measures the constants on the forms grpc and kafka of the flow order.
func (l *Lab) calibrate(ctx context.Context) (Constants, error) {
	config := l.Config(flows.Order(), services.GRPC, services.Kafka)
	config.Seed, config.Orders, config.Rate = l.size.Seed+calibrationSeed, calibrationWarmup+calibrationOrders, calibrationRate
	var ran *Ran
	for range l.calibrations() {
		var err error
		if ran, err = l.session.run(ctx, config, l.progress()); err != nil {
			return Constants{}, fmt.Errorf("measure the constants: %w", err)
		}
	}
	var c costs
	for _, form := range config.Forms {
		journeys, err := ran.Journeys(form)
		if err != nil {
			return Constants{}, err
		}
		for number, j := range journeys {
			if j != nil && number >= calibrationWarmup {
				c.read(j, config.Flow, services.Experiment{Seed: config.Seed, Number: number})
				c.readFront(j, config.Flow)
			}
		}
	}
	return c.constants()
}

// Size and rate of the run that the constants are measured on. The first orders open connections and are left out.
const (
	calibrationWarmup = 15
	calibrationOrders = 45
	calibrationRate   = 60.0
)

// calibrations is how many runs the constants take, of which the last one counts: a real broker that has just started acknowledges in twice the
// time until its virtual machine has compiled what it does.
func (l *Lab) calibrations() int {
	if len(l.session.Kafka) > 0 {
		return 4
	}
	return 1
}

// costs are what hops and steps took.
type costs struct{ fronts, hops, acks, deliveries, steps []time.Duration }

// read adds the hops and steps of one journey.
func (c *costs) read(j *journey.Journey, flow *flows.Flow, e services.Experiment) {
	set := j.Set()
	handled := map[journey.Index]journey.Message{}
	for _, m := range j.Messages() {
		handled[m.Consumer] = m
	}
	for _, i := range j.Spans() {
		name, ok := set.Span(i).Attr(services.KeyStep)
		row, known := flow.Row(services.Step(name.String()))
		if !ok || !known {
			continue
		}
		start, end := set.Times(i)
		wait, _ := e.Cost(row)
		c.steps = append(c.steps, time.Duration(end-start)-wait)
		parent, ok := set.Parent(i)
		if !ok || row.Step == flow.Entry() { // whose call is open for longer than the step
			continue
		}
		if m, ok := handled[parent]; ok {
			sent, _ := set.Times(m.Producer)
			c.acks, c.deliveries = append(c.acks, m.Publish), append(c.deliveries, time.Duration(start-sent))
			continue
		}
		call, ok := set.Parent(parent)
		if ok && set.Span(parent).Kind == journey.KindServer && set.Span(call).Kind == journey.KindClient {
			sent, answered := set.Times(call)
			c.hops = append(c.hops, time.Duration(answered-sent-(end-start)))
		}
	}
}

// readFront adds what an answer takes that waits for one step and one acknowledgement.
func (c *costs) readFront(j *journey.Journey, flow *flows.Flow) {
	messages := j.Messages()
	wait, ok := j.CallerWait()
	if len(messages) == 0 || !ok {
		return
	}
	set := j.Set()
	for _, i := range j.Spans() {
		if name, ok := set.Span(i).Attr(services.KeyStep); ok && name.String() == string(flow.Entry()) {
			start, end := set.Times(i)
			c.fronts = append(c.fronts, wait-time.Duration(end-start)-messages[0].Publish)
		}
	}
}

// constants are the medians.
func (c *costs) constants() (Constants, error) {
	if len(c.fronts) == 0 || len(c.hops) == 0 || len(c.acks) == 0 || len(c.steps) == 0 {
		return Constants{}, fmt.Errorf("%d calls, %d messages and %d steps were seen: nothing can be predicted from them", len(c.hops), len(c.acks), len(c.steps))
	}
	ack := median(c.acks)
	return Constants{
		Constants: model.Constants{Hop: median(c.hops), Ack: ack, Queue: max(0, median(c.deliveries)-ack)},
		Front:     median(c.fronts), Step: median(c.steps), Calls: len(c.hops), Sent: len(c.acks), Steps: len(c.steps),
	}, nil
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return max(0, sorted[(len(sorted)-1)/2])
}
