package actor_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

const base = 1_700_000_000_000_000_000

// drawWorld draws spans of several traces: calls, messages by parent, by link and by both, batches, polls, retries, replies, create
// and send spans, circles of links, several parents in any trace, orphans and pieces without a root, and copies of a span by two services.
// Two spans with one id are not drawn: they are judged by their order in one world of some thousands, see docs/watch.md and TestTwoSpansWithOneID.
func drawWorld(t *rapid.T) []journey.Span {
	pick := func(what string, low, high int) int { return rapid.IntRange(low, high).Draw(t, what) }
	n, traces := pick("spans", 2, 16), pick("traces", 1, 5)
	spans := make([]journey.Span, n)
	for i := range spans {
		s := &spans[i]
		s.Trace[0], s.Trace[15] = byte(pick("trace", 1, traces)), 1
		binary.BigEndian.PutUint64(s.ID[:], uint64(i+1))
		s.Start = base + 1_700_001*int64(pick("start", 0, 60)) + int64(i) + 1 // no clock steps by milliseconds
		s.End = s.Start + 1_300_003*int64(pick("length", 0, 30)) + 7
		s.Name, s.Service = fmt.Sprint("s", i), [...]string{"a", "b", "c"}[pick("service", 0, 2)]
		shape(pick, s)
		if pick("fails", 0, 4) == 0 {
			s.Status = journey.StatusError
		}
	}
	for i := range spans {
		s := &spans[i]
		if pick("has parent", 0, 3) > 0 {
			s.Parent = journey.SpanID{0xff}
			if p := pick("parent", 0, n); p < n {
				s.Parent, s.Trace = spans[p].ID, spans[p].Trace
			}
		}
	}
	for i := range spans {
		if circular(spans, spans[i].Trace) { // what the judge cuts there may depend on a span to come with an id that is known
			binary.BigEndian.PutUint64(spans[i].ID[:], uint64(i+1))
		}
	}
	for i := range spans {
		s := &spans[i]
		for range max(0, pick("links", -1, 3)) {
			target := &spans[pick("target", 0, n-1)]
			l := journey.Link{Ref: target.Ref()}
			if pick("target missing", 0, 15) == 15 {
				l.Span = journey.SpanID{0xfe}
			}
			if !s.Parent.IsZero() && s.Kind < journey.KindProducer && len(s.Attributes) == 0 && pick("child of", 0, 3) == 3 { // a join
				l.Attributes = []journey.Attribute{{Key: "opentracing.ref_type", Value: journey.StringValue("child_of")}}
			}
			s.Links = append(s.Links, l)
		}
	}
	if pick("copies", 0, 3) == 3 {
		c := spans[pick("copy", 0, n-1)]
		c.Service, c.Status = [...]string{"a", "b", "c"}[pick("service", 0, 2)], journey.Status(pick("status", 0, 2))
		return slices.Concat(spans, []journey.Span{c})
	}
	return spans
}

// circular reports whether parents go in a circle in a trace, whichever of several spans with one id they mean.
func circular(spans []journey.Span, trace journey.TraceID) bool {
	above := func(i int, seen map[journey.SpanID]bool) bool {
		list := []journey.SpanID{spans[i].Parent}
		for ; len(list) > 0; list = list[1:] {
			if list[0] == spans[i].ID {
				return true
			}
			for k := range spans {
				if x := &spans[k]; x.Trace == trace && x.ID == list[0] && !seen[x.Parent] {
					seen[x.Parent] = true
					list = append(list, x.Parent)
				}
			}
		}
		return false
	}
	for i := range spans {
		if spans[i].Trace == trace && above(i, make(map[journey.SpanID]bool)) {
			return true
		}
	}
	return false
}

// shape draws what a span did.
func shape(pick func(string, int, int) int, s *journey.Span) {
	with := func(key, value string) {
		s.Attributes = append(s.Attributes, journey.Attribute{Key: key, Value: journey.StringValue(value)})
	}
	op := ""
	switch pick("shape", 0, 9) {
	case 0, 1:
		s.Kind = journey.KindServer
	case 2:
		s.Kind = journey.KindClient
	case 3:
		s.Kind = journey.KindInternal
	case 4, 5:
		s.Kind, op = journey.KindProducer, [...]string{"send", "create", ""}[pick("sends", 0, 2)]
	case 6, 7:
		s.Kind, op = journey.KindConsumer, "process"
	case 8:
		s.Kind, op = [...]journey.Kind{journey.KindClient, journey.KindConsumer}[pick("receiver", 0, 1)], "receive"
	case 9:
		s.Kind, op = journey.KindClient, [...]string{"settle", "send"}[pick("client", 0, 1)]
	}
	if op != "" {
		with(semconv.MessagingOperationType, op)
	}
	if s.Kind == journey.KindProducer || s.Kind == journey.KindConsumer || op != "" {
		if pick("topic", 0, 2) > 0 {
			with(semconv.MessagingDestinationName, [...]string{"t", "u"}[pick("which", 0, 1)])
		}
		if op != "send" && pick("group", 0, 2) > 0 {
			with(semconv.MessagingConsumerGroupName, [...]string{"g", "h"}[pick("whose", 0, 1)])
		}
		if pick("conversation", 0, 3) == 0 {
			with(semconv.MessagingMessageConversationID, "c")
		}
	}
}

// beginsWithReceive reports whether a trace's earliest span is a receive span. Of two traces whose roots have lost their parents the
// judge lets the one go first that begins first, and whether a receive span is its beginning only all spans can tell.
func beginsWithReceive(set *journey.Set, trace journey.TraceID) bool {
	for i := range journey.Index(set.Len()) {
		if set.Span(i).Trace == trace && set.Operation(i) != semconv.OperationSettle {
			return set.Operation(i) == semconv.OperationReceive
		}
	}
	return false
}

// wanted judges all spans at once, and each journey with a root again with its spans and stubs alone. It returns nil for a world
// in which that is not defined.
func wanted(spans []journey.Span) map[journey.TraceID]string {
	slim := make([]journey.Span, 0, len(spans))
	for i := range spans {
		s, err := record.DecodeSpan(record.AppendSpan(nil, &spans[i]))
		if err == nil {
			slim = append(slim, s)
		}
	}
	texts := make(map[journey.TraceID]string)
	set := journey.NewSet(slim)
	for _, j := range set.Journeys() {
		root, ok := j.Root()
		if !ok {
			continue
		}
		if !set.Span(root).Parent.IsZero() && beginsWithReceive(set, set.Span(root).Trace) {
			return nil
		}
		trace := set.Span(root).Trace
		alone, ok := actor.Judge(slim, trace)
		if !ok {
			texts[trace] = "no journey alone"
			continue
		}
		texts[trace] = canonical(alone)
	}
	return texts
}

// canonical writes all that is said of a journey, with the names of its spans in the place of their numbers.
func canonical(j *journey.Journey) string {
	lines := []string{figures(j)}
	for _, f := range j.FanOut() {
		lines = append(lines, fmt.Sprint("fan-out ", j.Set().Span(f.Producer).Name, f.Topic, f.Groups, f.Missing, f.Rare))
	}
	for _, w := range j.Warnings() {
		lines = append(lines, w.String())
	}
	reason, _ := j.Incomplete()
	return strings.Join(append(lines, "incomplete "+reason), "\n")
}

// figures are those that depend on no other span of the set than the journey's own and their causes. That a span outside of the journey was tried
// before one of it is none of them.
func figures(j *journey.Journey) string {
	set := j.Set()
	name := func(i journey.Index) string {
		if i < 0 {
			return "-"
		}
		return set.Span(i).Name
	}
	path := func(list []journey.Segment) (text string) {
		for _, g := range list {
			text += fmt.Sprintf(" %s<%s[%d,%d]%v%s", name(g.Span), name(g.From), g.Start, g.End, g.Wait, g.Class)
		}
		return text
	}
	root, _ := j.Root()
	wait, _ := j.CallerWait()
	tail, _ := j.Tail()
	mean, most := j.Concurrency()
	sum, union, _ := j.Detached()
	lines := []string{fmt.Sprint("root ", name(root), " wait ", wait, " completion ", j.Completion(), " tail ", tail, " at once ", mean, most, " detached ", sum, union, " depth ", j.Depth())}
	for _, i := range j.Spans() {
		lines = append(lines, "span "+name(i))
		for e := range set.Causes(i) {
			if e.Class != journey.ClassRetry || j.Contains(e.From) {
				lines = append(lines, fmt.Sprint("  from ", name(e.From), e.Class, e.Ready))
			}
		}
	}
	lines = append(lines, "response"+path(j.ResponsePath()), "completion"+path(j.CompletionPath()))
	for _, m := range j.Messages() {
		lines = append(lines, fmt.Sprint("message ", name(m.Producer), name(m.Consumer), m.Group, m.Topic, m.Publish, m.Wait, m.Delivery, m.Overlap))
	}
	for _, r := range j.Replies() {
		lines = append(lines, fmt.Sprint("reply ", name(r.Waiter), name(r.Sent), name(r.Back)))
	}
	return strings.Join(lines, "\n")
}
