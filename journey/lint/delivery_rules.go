package lint

import (
	"cmp"
	"slices"
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// deliveryRules are about the other side of a hop: it is missing, or there twice.
func deliveryRules() []Rule {
	return []Rule{
		{ID: "P05", Level: LevelWarning, Check: missingConsumers,
			Finds: "A message was not consumed by a group that consumes its topic elsewhere in these traces.",
			Fix:   "see whether the group lags behind or its spans were sampled out, or whether these traces end too early"},
		{ID: "P06", Level: LevelWarning, Check: missingPeers,
			Finds: "A client's span has no server's span, or the reverse, though the peer is in these traces.",
			Fix:   "see whether the context is injected and extracted on both sides, and whether proxies pass the headers on"},
		{ID: "P12", Level: LevelWarning, Check: repeatedProcessing,
			Finds: "A group processed a message more than once.",
			Fix:   "expect repeats after a rebalance or a restart and make handling idempotent; commit what is done before partitions go"},
	}
}

// deliveries has the groups that each message reached, by creation context and, where the context was lost, by position.
type deliveries struct {
	byContext  map[contextGroup]bool
	byPosition map[positionGroup]bool
	groups     map[string][]string // by topic, the groups that consume it
	counts     map[consumer]int    // how many messages they consumed
}

type consumer struct{ topic, group string }

type contextGroup struct {
	creation journey.Index
	group    string
}

type positionGroup struct{ position, group string }

func (v *view) findDeliveries() deliveries {
	d := deliveries{map[contextGroup]bool{}, map[positionGroup]bool{}, map[string][]string{}, map[consumer]int{}}
	seen := make(map[consumer]bool)
	for k, m := range v.messages {
		if m == nil || !m.consumes() || m.group == "" {
			continue
		}
		if key := (consumer{m.destination, m.group}); m.destination != "" && !seen[key] {
			seen[key] = true
			d.groups[m.destination] = append(d.groups[m.destination], m.group)
		}
		d.counts[consumer{m.destination, m.group}] += max(1, m.origins.links)
		i := journey.Index(k)
		d.add(v.parent(i), m.group)
		for _, t := range v.targets(i) {
			d.add(t, m.group)
		}
		if position, ok := m.position(); ok {
			d.byPosition[positionGroup{position, m.group}] = true
		}
	}
	return d
}

func (d deliveries) add(t journey.Index, group string) {
	if t != none {
		d.byContext[contextGroup{t, group}] = true
	}
}

// reached reports whether a group got what span i sent: all messages of it, when they have contexts of their own.
func (c *Pass) reached(d deliveries, i journey.Index, group string) bool {
	if d.byContext[contextGroup{i, group}] {
		return true
	}
	if position, ok := c.messages[i].position(); ok && d.byPosition[positionGroup{position, group}] {
		return true
	}
	carried := 0
	for _, t := range c.targets(i) {
		if !c.carries(i, t) {
			continue
		}
		carried++
		if !d.byContext[contextGroup{t, group}] {
			return false
		}
	}
	return carried > 0
}

// missingConsumers compares the groups that reached each message with those that consume its topic. Messages that
// failed to be sent are left out, and consumers without a group, which have no name to be missed by.
func missingConsumers(c *Pass) {
	d := c.findDeliveries()
	expected := c.expectedGroups(d)
	for k, m := range c.messages {
		i := journey.Index(k)
		if !c.sentWell(i) {
			continue
		}
		var lacking []string
		for _, g := range expected[m.destination] {
			if !c.reached(d, i, g) {
				lacking = append(lacking, g)
			}
		}
		if len(lacking) > 0 {
			slices.Sort(lacking)
			c.found(i, "%s was not consumed by %s, though %s is consumed by it elsewhere", c.at(i), strings.Join(lacking, ", "), m.destination)
		}
	}
}

// sentWell reports a send span that did not fail.
func (v *view) sentWell(i journey.Index) bool {
	m := v.messages[i]
	return m != nil && m.op == semconv.OperationSend && !m.failed(v.set.Span(i))
}

// expectedGroups returns by topic the groups that got at least one in twenty of its messages: others may well miss one.
func (c *Pass) expectedGroups(d deliveries) map[string][]string {
	sent := make(map[string]int)
	for k, m := range c.messages {
		if c.sentWell(journey.Index(k)) {
			sent[m.destination]++
		}
	}
	expected := make(map[string][]string, len(d.groups))
	for topic, groups := range d.groups {
		for _, g := range groups {
			if d.counts[consumer{topic, g}]*20 >= sent[topic] {
				expected[topic] = append(expected[topic], g)
			}
		}
	}
	return expected
}

// repeatedProcessing counts process spans by message and group. Messages that share a creation context are told apart
// by topic, partition and offset. A process span below another one of its message is the same processing, seen by two
// instrumentations.
func repeatedProcessing(c *Pass) {
	type processing struct {
		message         journey.Ref
		group, position string
	}
	first := make(map[processing]journey.Index)
	for k, m := range c.messages {
		if m == nil || m.op != semconv.OperationProcess {
			continue
		}
		i := journey.Index(k)
		span := c.set.Span(i)
		if p := c.parent(i); p != none && c.messages[p] != nil && c.messages[p].op == semconv.OperationProcess {
			continue
		}
		count := func(ref journey.Ref, position string) {
			key := processing{ref, cmp.Or(m.group, span.Service), position}
			earlier, again := first[key]
			if !again {
				first[key] = i
			} else if earlier != i {
				if c.retries(i) {
					c.foundAdvice(i, "%s processed a message again that %s had failed to process", c.at(i), c.at(earlier))
					return
				}
				c.found(i, "%s processed a message that group %s had processed before, in %s of trace %s", c.at(i), key.group, c.at(earlier), c.set.Span(earlier).Trace)
			}
		}
		if role := m.origins.parent; role == creation || role == unknown {
			count(journey.Ref{Trace: span.Trace, Span: span.Parent}, m.positionOf(nil))
		}
		for l, t := range c.targets(i) {
			if r := c.linkRole(i, t); r == creation || r == unknown {
				count(span.Links[l].Ref, m.positionOf(span.Links[l].Attributes))
			}
		}
	}
}

// retries reports whether span i handled a message again after a failure.
func (v *view) retries(i journey.Index) bool {
	for e := range v.set.Causes(i) {
		if e.Class == journey.ClassRetry {
			return true
		}
	}
	return false
}

// positionOf returns where a message was, from its link where that says more than the span.
func (m *message) positionOf(link []journey.Attribute) string {
	part := func(key, own string) string {
		if v, ok := attribute(link, key); ok {
			return v.String()
		}
		return own
	}
	return part(semconv.MessagingDestinationName, m.destination) + "/" + part(semconv.MessagingDestinationPartitionID, m.partition.String()) + "@" + part(semconv.MessagingKafkaOffset, m.offset.String())
}
