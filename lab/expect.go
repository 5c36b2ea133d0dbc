package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/services"
	"tracelab/services/flows"
)

// expectation is what a flow says of a complete journey: the steps that have a span, and how many deliveries of each topic do.
type expectation struct {
	steps      []services.Step
	deliveries map[string]int
}

// expectations knows what to expect of an order, by its form, its number, and what its own state says.
type expectations struct {
	flow   *flows.Flow
	seed   uint64
	topics []string
	known  map[string]expectation // of orders that nothing goes wrong with, by form and the steps that they do not pass through
}

func newExpectations(flow *flows.Flow, seed uint64) expectations {
	return expectations{flow: flow, seed: seed, topics: flow.Topics(), known: map[string]expectation{}}
}

// skipped lists the steps that an order does not pass through.
func (e expectations) skipped(number int) []services.Step {
	if len(e.flow.Conditional()) == 0 {
		return nil
	}
	body := map[string]string{}
	for name, value := range PlacementOf(e.flow, e.seed, number) {
		body[name] = fmt.Sprint(value)
	}
	return services.Experiment{Seed: e.seed, Number: number}.Skipped(e.flow, body)
}

// whole is what to expect of an order that nothing goes wrong with.
func (e expectations) whole(order orderKey) expectation {
	skipped := e.skipped(order.number)
	key := fmt.Sprint(order.form, skipped)
	if known, ok := e.known[key]; ok {
		return known
	}
	var whole expectation
	if plan, err := e.flow.Plan(order.form, skipped...); err == nil { // a flow that was read has a plan for each of its forms
		whole = expectation{plan.Reached(), plan.Deliveries()}
	}
	e.known[key] = whole
	return whole
}

// of returns what an order's state makes expect: the steps that are not behind a failed one, and the messages between
// them. Of an order that was cut off (its client went away, time ran out, a service could not be reached) only the steps
// that it is known to have done are expected: how far the others got is chance. Of one that orders has forgotten all is
// expected, and nothing of one that orders never had: it was refused, and how far it got is not recorded.
func (e expectations) of(order orderKey, o orderState) expectation {
	switch {
	case o.failed == nil && (o.status != "" || o.forgotten):
		return e.whole(order)
	case o.failed == nil:
		return expectation{}
	}
	var failed, refused []services.Step
	for _, f := range o.failed.Failures {
		if f.CutOff() {
			return expectation{steps: o.failed.Steps}
		}
		failed = append(failed, services.Step(f.Step))
		if f.Refused() {
			refused = append(refused, services.Step(f.Step))
		}
	}
	plan, err := e.flow.Plan(order.form, e.skipped(order.number)...)
	if err != nil {
		return expectation{}
	}
	begun := slices.DeleteFunc(plan.Reached(failed...), func(s services.Step) bool { return slices.Contains(refused, s) })
	return expectation{append(begun, plan.UndoneBy(failed...)...), plan.Deliveries(failed...)}
}

// missing names the first expected thing that the journey does not have, or "".
func (e expectations) missing(j *journey.Journey, want expectation) string {
	done, delivered := map[services.Step]int{}, map[string]int{}
	for _, i := range j.Spans() {
		span := j.Set().Span(i)
		if step, ok := span.Attr(services.KeyStep); ok {
			done[services.Step(step.String())]++
		}
		if handles(span) {
			delivered[e.topicOf(span)]++
		}
	}
	for _, step := range want.steps {
		if done[step] == 0 {
			return "no span of step " + string(step)
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(want.deliveries)) {
		if n := want.deliveries[topic]; delivered[topic] < n {
			return fmt.Sprintf("%d of %d deliveries of %s have a span", delivered[topic], n, topic)
		}
	}
	return ""
}

// handles tells whether a span is the handling of one message, in today's names or in kotel's.
func handles(span *journey.Span) bool {
	return firstAttr(span, "messaging.operation.type", "messaging.operation") == "process"
}

// topicOf is the destination as the table of hops names it, without the prefix of a run.
func (e expectations) topicOf(span *journey.Span) string {
	// At RabbitMQ the topic is the routing key: the destination names the exchange and the queue, too.
	name := firstAttr(span, "messaging.rabbitmq.destination.routing_key", "messaging.destination.template", "messaging.destination.name", "messaging.source.name")
	for _, topic := range e.topics {
		if strings.HasSuffix(name, topic) {
			return topic
		}
	}
	return name
}

// firstAttr is the first of the attributes that the span has.
func firstAttr(span *journey.Span, keys ...string) string {
	for _, key := range keys {
		if value, ok := span.Attr(key); ok {
			return value.String()
		}
	}
	return ""
}
