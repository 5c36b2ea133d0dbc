package flows

import "slices"

// Record is one message that is published for a unit.
type Record struct {
	Topic string
	By    Carrier
	Of    []Step // the finished steps that it tells of
}

// Records lists the messages that are published for a unit when some steps fail, but for those of the failures.
func (p *Plan) Records(failed ...Step) []Record {
	reached := p.Reached(failed...)
	done := func(s Step) bool { return slices.Contains(reached, s) && !slices.Contains(failed, s) }
	var records []Record
	add := func(r Record) {
		if !slices.ContainsFunc(records, func(have Record) bool { return have.Topic == r.Topic && have.By == r.By && slices.Equal(have.Of, r.Of) }) {
			records = append(records, r)
		}
	}
	for _, hop := range p.Hops {
		if !hop.By.IsMessage() {
			continue
		}
		if !hop.Join {
			if !slices.ContainsFunc(hop.After, func(s Step) bool { return !done(s) }) {
				add(Record{hop.Topic, hop.By, hop.After})
			}
			continue
		}
		for _, step := range hop.After {
			if done(step) {
				add(Record{hop.Topic, hop.By, []Step{step}})
			}
		}
	}
	return records
}

// Deliveries counts, for each topic, the times that a consumer handles a record of a unit: once for each record and each service that
// consumes the topic.
func (p *Plan) Deliveries(failed ...Step) map[string]int {
	deliveries := map[string]int{}
	for _, r := range p.Records(failed...) {
		deliveries[r.Topic] += len(p.flow.consumers(r.Topic, r.By))
	}
	for _, step := range failed {
		if p.ReportsFailure(step) {
			hop, _ := p.Hop(step)
			led, _ := p.Hop(hop.Domain)
			deliveries[p.flow.FailureTopic()] += len(p.flow.consumers(p.flow.FailureTopic(), led.By))
		}
	}
	return deliveries
}
