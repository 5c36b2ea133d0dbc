package lint

import (
	"cmp"
	"math"
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// messagingRules are about attributes, name and kind of single messaging spans.
func messagingRules() []Rule {
	return []Rule{
		{ID: "M00", Level: LevelAdvice, Convention: messagingConvention, Check: eachMessage(oldNames),
			Finds: "A messaging span has names that the conventions no longer have; the M rules on what those names say are left out for it.",
			Fix:   "upgrade the instrumentation, or opt in to present names with OTEL_SEMCONV_STABILITY_OPT_IN=messaging where it obeys that"},
		{ID: "M01", Level: LevelError, Convention: messagingConvention, Check: EachSpan(messagingSystem),
			Finds: "messaging.system is missing, or is not the system whose attributes the span has, such as messaging.kafka.*.",
			Fix:   "set messaging.system, for Kafka to kafka, when the span starts"},
		{ID: "M02", Level: LevelError, Convention: messagingConvention, Check: eachMessage(operationName),
			Finds: "messaging.operation.name is missing.",
			Fix:   "set messaging.operation.name to the client's word for the operation, such as send, poll, process or commit"},
		{ID: "M03", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(operationType),
			Finds: "messaging.operation.type is missing, deprecated (publish, deliver), or at odds with the operation's name or the span's kind.",
			Fix:   "set messaging.operation.type to create, send, receive, process or settle"},
		{ID: "M04", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(spanName),
			Finds: "The span's name is not the operation's name followed by the destination.",
			Fix:   "name the span {messaging.operation.name} {destination}: the destination's template if it has one, else its name"},
		{ID: "M05", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(spanKind),
			Finds: "The span's kind is not that of its operation.",
			Fix:   "use PRODUCER for create and send, CLIENT for receive and settle, CONSUMER for process; CLIENT for send where the message carries the context of a create span or one made elsewhere"},
		{ID: "M05b", Level: LevelAdvice, Convention: messagingConvention, Check: EachSpan(remoteChild),
			Finds: "A producer's child in another service is not of kind CONSUMER; it counts as the consumer of the message.",
			Fix:   "set the kind CONSUMER, and messaging.operation.type process, on the span that handles the message"},
		{ID: "M06", Level: LevelError, Convention: messagingConvention, Check: eachMessage(destinationName),
			Finds: "messaging.destination.name is missing on a span of a single message, or of messages that share it.",
			Fix:   "set messaging.destination.name; make one span per topic for a poll or commit over several"},
		{ID: "M09", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(errorType),
			Finds: "A failed span has no error.type, or a span that did not fail has a status.",
			Fix:   "set error.type beside an error status; leave the status unset on success"},
		{ID: "M10", Level: LevelWarning, Convention: messagingConvention, Check: eachMessage(consumerGroup),
			Finds: "A Kafka consumer's span has no messaging.consumer.group.name.",
			Fix:   "set messaging.consumer.group.name, unless the client reads partitions without a group"},
	}
}

func oldNames(c *Pass, i journey.Index, m *message) {
	last := math.MaxInt
	var parts []string
	for _, r := range m.old {
		last = min(last, r.Last)
		if r.Now == "" {
			parts = append(parts, r.Old+" (gone)")
		} else {
			parts = append(parts, r.Old+" (now "+r.Now+")")
		}
	}
	if m.oldForm && oldSpanName(c.set.Span(i).Name, m.destination) {
		last = min(last, 24)
		parts = append(parts, "the span's name (now {operation.name} {destination})")
	}
	if len(parts) > 0 {
		c.found(i, "%s has names of the messaging conventions 1.%d or older: %s; today's are of %s", c.at(i), last, strings.Join(parts, ", "), Conventions)
	}
}

func messagingSystem(c *Pass, i journey.Index) {
	m := c.messages[i]
	switch {
	case m == nil:
	case m.bare:
		c.found(i, "%s is of kind %s and has no messaging.system, nor any other attribute messaging.*", c.at(i), c.set.Span(i).Kind)
	case m.system == "":
		c.found(i, "%s has no messaging.system", c.at(i))
	case m.vendor != "" && m.system != m.vendor:
		c.found(i, "%s has attributes of %s and the messaging.system %q", c.at(i), m.vendor, m.system)
	}
}

func operationName(c *Pass, i journey.Index, m *message) {
	if m.opName == "" && !m.oldForm {
		c.found(i, "%s has no messaging.operation.name", c.at(i))
	}
}

func operationType(c *Pass, i journey.Index, m *message) {
	switch {
	case m.oldForm:
	case m.opType == "":
		c.found(i, "%s has no messaging.operation.type", c.at(i))
	case m.opType == "publish":
		c.foundFix(i, "use the type send", "%s has the deprecated messaging.operation.type publish", c.at(i))
	case m.opType == "deliver":
		c.foundFix(i, "use the type process", "%s has the deprecated messaging.operation.type deliver", c.at(i))
	default:
		if odd := c.oddType(i, m); odd != "" {
			c.found(i, "%s has the messaging.operation.type %s, but %s", c.at(i), m.opType, odd)
		}
	}
}

// oddType says what contradicts the type of the operation: its name, or the direction of the span's kind where the name does
// not confirm the type. It returns "" when nothing does.
func (v *view) oddType(i journey.Index, m *message) string {
	op := semconv.ParseOperation(m.opType)
	named := namedOperation(m.opName)
	if op == semconv.OperationNone {
		return "" // the conventions allow other types
	}
	if named != semconv.OperationNone {
		if named != op {
			return "the operation's name is " + m.opName
		}
		return ""
	}
	kind := v.set.Span(i).Kind
	if sends := op == semconv.OperationCreate || op == semconv.OperationSend; sends && kind == journey.KindConsumer || !sends && kind == journey.KindProducer {
		return "the span's kind is " + kind.String()
	}
	return ""
}

func spanName(c *Pass, i journey.Index, m *message) {
	if m.opName == "" {
		return // M02
	}
	name := c.set.Span(i).Name
	destination := cmp.Or(m.template, m.destination)
	switch {
	case destination == "" && (name == m.opName || strings.HasPrefix(name, m.opName+" ")):
		return // server.address:server.port may stand for the destination, or nothing
	case destination != "" && name == m.opName+" "+destination:
		return
	case m.unnamed && m.template == "" && strings.HasPrefix(name+" ", m.opName+" "):
		return
	}
	c.found(i, "%s should be named %q", c.at(i), strings.TrimSpace(m.opName+" "+destination))
}

func spanKind(c *Pass, i journey.Index, m *message) {
	if m.oldForm || m.opName == "" && m.opType == "" || c.oddType(i, m) != "" {
		return
	}
	span := c.set.Span(i)
	var want journey.Kind
	why := ""
	switch m.op {
	case semconv.OperationCreate:
		want = journey.KindProducer
	case semconv.OperationSend:
		want, why = c.sendKind(i)
	case semconv.OperationReceive, semconv.OperationSettle:
		want = journey.KindClient
	case semconv.OperationProcess:
		want = journey.KindConsumer
	case semconv.OperationNone:
		return
	}
	if span.Kind != want {
		c.found(i, "%s is of kind %s, not %s%s", c.at(i), span.Kind, want, why)
	}
}

// sendKind returns the kind that a send span should have, and why.
func (v *view) sendKind(i journey.Index) (want journey.Kind, why string) {
	targets := v.targets(i)
	for _, t := range targets {
		if v.carries(i, t) {
			return journey.KindClient, ": the message carries the context of " + v.at(t)
		}
	}
	if v.set.Span(i).Kind == journey.KindClient && len(targets) > 0 && v.firstUse[i] == 0 {
		return journey.KindClient, "" // a context from before, or of a span that is not here
	}
	return journey.KindProducer, ": its context is the message's creation context"
}

func destinationName(c *Pass, i journey.Index, m *message) {
	if m.destination != "" || m.unnamed || m.template != "" {
		return
	}
	if !c.batch(i, m) {
		c.found(i, "%s has no messaging.destination.name", c.at(i))
		return
	}
	one, several := c.destinations(i)
	switch {
	case several && (m.op == semconv.OperationReceive || m.op == semconv.OperationSettle):
		c.found(i, "%s is over several topics; there should be one span for each", c.at(i))
	case several:
	case one != "":
		c.found(i, "%s has no messaging.destination.name, though all its messages share %q", c.at(i), one)
	case m.op == semconv.OperationReceive || m.op == semconv.OperationSettle:
		c.found(i, "%s has no messaging.destination.name", c.at(i))
	}
}

// destinations returns what is known of the destinations of a batch, from its links and from what they name.
func (v *view) destinations(i journey.Index) (one string, several bool) {
	for l, t := range v.targets(i) {
		name := ""
		if value, ok := attribute(v.set.Span(i).Links[l].Attributes, semconv.MessagingDestinationName); ok {
			name = value.String()
		} else if t != none && v.messages[t] != nil && v.creation[t] {
			name = v.messages[t].destination
		}
		switch {
		case name == "" || name == one:
		case one == "":
			one = name
		default:
			return "", true
		}
	}
	return one, false
}

func attribute(list []journey.Attribute, key string) (journey.Value, bool) {
	for i := range list {
		if list[i].Key == key {
			return list[i].Value, true
		}
	}
	return journey.Value{}, false
}

func errorType(c *Pass, i journey.Index, m *message) {
	switch status := c.set.Span(i).Status; {
	case status == journey.StatusError && m.errorType == "":
		c.found(i, "%s failed and has no error.type", c.at(i))
	case status == journey.StatusOK:
		c.found(i, "%s has the status OK, which only an application should set", c.at(i))
	}
}

func consumerGroup(c *Pass, i journey.Index, m *message) {
	kafka := m.kafka || m.system == "kafka"
	if consumer := m.consumes() || m.op == semconv.OperationSettle; consumer && kafka && m.group == "" {
		c.found(i, "%s has no messaging.consumer.group.name", c.at(i))
	}
}

// position names a record of Kafka's, for texts and as a key.
func (m *message) position() (string, bool) {
	if m.destination == "" || missing(m.partition) || missing(m.offset) {
		return "", false
	}
	return m.destination + " partition " + m.partition.String() + " offset " + m.offset.String(), true
}

// remoteChild skips a broker or sidecar that is called, and spans that say what they do with the message: M05 is about their
// kinds.
func remoteChild(c *Pass, i journey.Index) {
	p := c.parent(i)
	if p == none || c.set.Span(p).Kind != journey.KindProducer || c.messages[i] != nil {
		return
	}
	child := c.set.Span(i)
	for e := range c.set.Causes(i) {
		if e.From == p && e.Class == journey.ClassMessage && child.Kind != journey.KindConsumer {
			c.found(i, "%s is of kind %s, and handles the message of %s", c.at(i), child.Kind, c.at(p))
		}
	}
}
