package draw

import (
	"encoding/binary"
	"fmt"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// Any makes spans of up to three traces with every defect that data may have: parents and links to anything, also in circles
// or missing, doubled ids, ends before starts, clocks that are off. Times are quarters of a millisecond, so that differences
// of exactly the tolerance occur. pick returns a number from low to high; what says what it is for.
func Any(pick func(what string, low, high int64) int64) []journey.Span {
	n := pick("spans", 1, 12)
	traces := pick("traces", 1, 3)
	spans := make([]journey.Span, n)
	for i := range spans {
		spans[i] = anySpan(pick, i, n, traces)
	}
	for i := range spans {
		if pick("has parent", 0, 3) == 0 {
			continue
		}
		spans[i].Parent = journey.SpanID{0xff}
		if p := pick("parent", 0, n); p < n {
			spans[i].Parent, spans[i].Trace = spans[p].ID, spans[p].Trace
		}
	}
	for i := range spans {
		for range max(0, pick("links", -2, 2)) {
			l := journey.Link{Ref: spans[pick("target", 0, n-1)].Ref()}
			if pick("target missing", 0, 15) == 15 {
				l.Span = journey.SpanID{0xfe}
			}
			if pick("child of", 0, 3) == 3 {
				l.Attributes = []journey.Attribute{{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}}
			}
			spans[i].Links = append(spans[i].Links, l)
		}
	}
	return spans
}

func anySpan(pick func(what string, low, high int64) int64, i int, n, traces int64) journey.Span {
	var s journey.Span
	binary.BigEndian.PutUint64(s.Trace[8:], uint64(pick("trace", 1, traces)))
	id := int64(i + 1)
	if pick("twice", 0, 19) == 0 {
		id = pick("id", 0, n)
	}
	binary.BigEndian.PutUint64(s.ID[:], uint64(id))
	s.Start = Base + 250_000*pick("start", 0, 80)
	s.End = s.Start + 250_000*pick("length", -2, 60)
	switch pick("clock", 0, 5) {
	case 3: // whole milliseconds, as where all of a resource are
		s.Start -= s.Start % 1_000_000
		s.End -= s.End % 1_000_000
	case 1: // what is just tolerated within a resource
		s.End += 1_000
	case 2:
		s.End += 1_001
	}
	s.Kind = journey.Kind(pick("kind", 0, 5))
	s.Service = [...]string{"a", "b", "a", "b", ""}[pick("service", 0, 4)]
	if instance := pick("instance", -4, 2); instance > 0 {
		s.Resource = &journey.Resource{InstanceID: fmt.Sprint(instance), Attributes: []journey.Attribute{{Key: "service.instance.id", Value: journey.IntValue(instance)}}}
		if host := pick("host", -1, 2); host > 0 {
			s.Resource.HostName = fmt.Sprint(host)
			s.Resource.Attributes = append(s.Resource.Attributes, journey.Attribute{Key: "host.name", Value: journey.IntValue(host)})
		}
	}
	s.Name = fmt.Sprint("s", i)
	if pick("named alike", 0, 3) == 3 {
		s.Name = [...]string{"carry on", "handle"}[pick("name", 0, 1)]
	}
	if pick("fails", 0, 3) == 0 {
		s.Status = journey.StatusError
	}
	operations := [...]string{"", "", "", "create", "send", "receive", "process", "settle"}
	if op := operations[pick("op", 0, int64(len(operations)-1))]; op != "" {
		s.Attributes = append(s.Attributes, journey.Attribute{Key: semconv.MessagingOperationType, Value: journey.StringValue(op)})
	}
	for _, a := range [...]struct{ key, value string }{
		{semconv.MessagingConsumerGroupName, [...]string{"g", "h"}[pick("group", 0, 1)]}, {semconv.MessagingDestinationName, [...]string{"t", "t", "u"}[pick("topic", 0, 2)]},
		{semconv.MessagingDestinationSubscription, "g"},
		{semconv.MessagingMessageConversationID, "c"}, {semconv.FaaSTrigger, "pubsub"}, {semconv.ErrorType, "x"}, {"tracelab.carry_on", "true"},
	} {
		if pick(a.key, 0, 5) == 5 {
			s.Attributes = append(s.Attributes, journey.Attribute{Key: a.key, Value: journey.StringValue(a.value)})
		}
	}
	return s
}
