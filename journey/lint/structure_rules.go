package lint

import (
	"cmp"
	"slices"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// structureRules are about how the spans of one message refer to each other.
func structureRules() []Rule {
	return []Rule{
		{ID: "S01", Level: LevelError, Convention: messagingConvention, Check: lostCreation,
			Finds: "A message was sent and consumed, and its consumer knows nothing of its creation context.",
			Fix:   "inject the send span's context into the message's headers, and check that the consumer extracts it with the same propagator"},
		{ID: "S07", Level: LevelWarning, Convention: messagingConvention, Check: prefetched,
			Finds: "A receive span stands for a prefetched record: it starts before the poll that returned the record.",
			Fix:   "make receive spans for polls, when the application asks; none for what a client fetches ahead"},
		{ID: "S08", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(missingLinks),
			Finds: "A process or receive span has no link to the creation context of each message that it accounts for.",
			Fix:   "link to the context that was extracted from each message"},
		{ID: "S09", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(creationAsParent),
			Finds: "A creation context is the parent of a span without a link to it too, or the parent of a batch.",
			Fix:   "link to the creation context as well as having it as a parent; give the span of a batch links and no such parent"},
		{ID: "S13", Level: LevelWarning, Convention: messagingConvention, Check: wrongInjector,
			Finds: "The context in a message is that of a SERVER or INTERNAL span, and no send span says that it was given with the message.",
			Fix:   "start a send span of kind PRODUCER around the sending and inject its context"},
		{ID: "S14", Level: LevelError, Convention: messagingConvention, Check: EachSpan(droppedLinks),
			Finds: "Links of a messaging span were dropped, so that some of its messages have lost their origin.",
			Fix:   "raise OTEL_SPAN_LINK_COUNT_LIMIT (128 unless set), or take smaller batches"},
	}
}

// lostCreation finds, by topic, partition and offset, the send span of a message whose consumer refers to no origin.
func lostCreation(c *Pass) {
	sends := c.sendsByPosition()
	for i, m := range c.messages {
		if !c.originless(journey.Index(i), m) {
			continue
		}
		position, _ := m.position()
		if send, ok := sends[position]; ok && send != none {
			c.found(send, "%s sent %s, which reached %s without a creation context", c.at(send), position, c.at(journey.Index(i)))
		}
	}
}

// sendsByPosition returns the send spans of single records; none where two have the same position, as after two runs.
func (c *Pass) sendsByPosition() map[string]journey.Index {
	sends := make(map[string]journey.Index)
	for i, m := range c.messages {
		if m == nil || m.op != semconv.OperationSend {
			continue
		}
		position, ok := m.position()
		if !ok {
			continue
		}
		if _, twice := sends[position]; twice {
			sends[position] = none
		} else {
			sends[position] = journey.Index(i)
		}
	}
	return sends
}

// originless reports a span of a single message, which it names, without a reference to any origin, nor to a span that
// has one, as a process span may have below its receive span.
func (c *Pass) originless(i journey.Index, m *message) bool {
	if m == nil || !m.consumes() || m.origins.known() || c.batch(i, m) {
		return false
	}
	knows := func(t journey.Index) bool { return t != none && c.messages[t] != nil && c.messages[t].origins.known() }
	if knows(c.parent(i)) || slices.ContainsFunc(c.targets(i), knows) {
		return false
	}
	_, ok := m.position()
	return ok
}

// prefetched compares the receive spans of each client and topic. A client's polls follow each other. So a receive span that
// was open when another one ended, and went on after that, started before the poll that returned its own record; and so did
// one that started before a poll span with a link to the same message.
func prefetched(c *Pass) {
	type client struct{ service, instance, group, topic, partition string }
	groups := make(map[client][]journey.Index)
	polls := make(map[polled]journey.Index)
	for i, m := range c.messages {
		if m == nil || m.op != semconv.OperationReceive {
			continue
		}
		span := c.set.Span(journey.Index(i))
		if m.hasCount {
			for _, t := range c.targets(journey.Index(i)) {
				if t != none && c.creation[t] {
					polls[polled{t, span.Service, m.group}] = journey.Index(i)
				}
			}
			continue
		}
		if !missing(m.offset) {
			k := client{span.Service, instance(span), m.group, m.destination, m.partition.String()}
			groups[k] = append(groups[k], journey.Index(i))
		}
	}
	var found []journey.Index
	for _, receives := range groups {
		found = append(found, c.startedEarly(receives)...)
		found = append(found, c.beforePoll(receives, polls)...)
	}
	slices.Sort(found)
	for _, i := range slices.Compact(found) {
		c.found(i, "%s was open before the poll that returned its record: the record was prefetched", c.at(i))
	}
}

// polled is a message as a poll span knows it.
type polled struct {
	creation       journey.Index
	service, group string
}

func instance(span *journey.Span) string {
	if span.Resource == nil {
		return ""
	}
	return span.Resource.InstanceID
}

// sameMoment is how many nanoseconds apart the spans of one poll may end.
const sameMoment = 1_000_000

// startedEarly returns the receive spans during which another one of the client ended.
func (c *Pass) startedEarly(receives []journey.Index) []journey.Index {
	ends := make([]int64, len(receives))
	for k, i := range receives {
		_, ends[k] = c.set.Times(i)
	}
	slices.Sort(ends)
	var found []journey.Index
	for _, i := range receives {
		start, end := c.set.Times(i)
		if k, _ := slices.BinarySearch(ends, start+1); k < len(ends) && ends[k] < end-sameMoment {
			found = append(found, i)
		}
	}
	return found
}

// beforePoll returns the receive spans that started before the poll span of the same message.
func (c *Pass) beforePoll(receives []journey.Index, polls map[polled]journey.Index) []journey.Index {
	var found []journey.Index
	for _, i := range receives {
		start, _ := c.set.Times(i)
		for _, t := range append(slices.Clone(c.targets(i)), c.parent(i)) {
			poll, ok := polls[polled{t, c.set.Span(i).Service, c.messages[i].group}]
			if !ok {
				continue
			}
			if opened, _ := c.set.Times(poll); start < opened {
				found = append(found, i)
			}
		}
	}
	return found
}

// missingLinks skips spans that S01 and P03 report, which know no origin at all, and those of S09, whose parent it is.
func missingLinks(c *Pass, i journey.Index, m *message) {
	if !m.consumes() {
		return
	}
	span := c.set.Span(i)
	linked := int64(m.origins.links) + int64(span.DroppedLinks) + m.omitted
	want := cmp.Or(m.count, 1)
	switch {
	case m.hasCount && m.count == 0 || m.op == semconv.OperationReceive && !m.hasCount && m.failed(span):
		return // no message
	case linked >= want:
		return
	case want == 1 && asParent(m), want == 1 && c.lostAtHop(i):
		return
	case want == 1:
		c.found(i, "%s has no link to the creation context of its message", c.at(i))
	default:
		c.found(i, "%s accounts for %d messages and links to %d creation contexts", c.at(i), want, linked)
	}
}

// asParent reports that the creation context is the parent, as far as can be seen.
func asParent(m *message) bool { return m.origins.parent != related }

func creationAsParent(c *Pass, i journey.Index, m *message) {
	if !m.consumes() || !asParent(m) {
		return
	}
	switch {
	case c.batch(i, m):
		c.found(i, "%s is a batch and has the creation context of a message as its parent", c.at(i))
	case !m.origins.toParent:
		c.found(i, "%s has the creation context of its message as its parent and no link to it", c.at(i))
	}
}

// wrongInjector reports the spans whose contexts are in messages, though they did not send them.
func wrongInjector(c *Pass) {
	consumer := make(map[journey.Index]journey.Index)
	var wrong []journey.Index
	add := func(t, by journey.Index) {
		if kind := c.set.Span(t).Kind; kind != journey.KindServer && kind != journey.KindInternal {
			return
		}
		if _, ok := consumer[t]; !ok {
			consumer[t] = by
			wrong = append(wrong, t)
		}
	}
	for k, m := range c.messages {
		if m == nil || !m.consumes() {
			continue
		}
		i := journey.Index(k)
		if m.origins.parent == injected {
			add(c.parent(i), i)
		}
		if m.origins.parent == creation || m.origins.parent == unknown || c.anyCreation(i) {
			continue
		}
		for _, t := range c.targets(i) {
			if c.linkRole(i, t) == injected {
				add(t, i)
			}
		}
	}
	for _, t := range wrong {
		c.found(t, "%s is of kind %s, and its context is in a message that %s consumed", c.at(t), c.set.Span(t).Kind, c.at(consumer[t]))
	}
}

func (c *Pass) anyCreation(i journey.Index) bool {
	for _, t := range c.targets(i) {
		if r := c.linkRole(i, t); r == creation || r == unknown {
			return true
		}
	}
	return false
}

func droppedLinks(c *Pass, i journey.Index) {
	m := c.messages[i]
	if m == nil {
		return // P07
	}
	span := c.set.Span(i)
	if n := int64(span.DroppedLinks) + m.omitted; n > 0 {
		c.found(i, "%s has %d links; %d more were dropped", c.at(i), len(span.Links), n)
	}
}
