package summary_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/watch/summary"
)

const base = int64(1_700_000_000_000_000_000)

func span(trace, id, parent byte, service, name string, kind journey.Kind, start, end time.Duration) journey.Span {
	s := journey.Span{Service: service, Name: name, Kind: kind, Start: base + int64(start), End: base + int64(end)}
	s.Trace[15], s.ID[7], s.Parent[7] = trace, id, parent
	return s
}

func messaging(s journey.Span, operation, topic, group string) journey.Span {
	s.Attributes = append(slices.Clone(s.Attributes),
		journey.Attribute{Key: "messaging.operation.type", Value: journey.StringValue(operation)},
		journey.Attribute{Key: "messaging.destination.name", Value: journey.StringValue(topic)})
	if group != "" {
		s.Attributes = append(s.Attributes, journey.Attribute{Key: "messaging.consumer.group.name", Value: journey.StringValue(group)})
	}
	return s
}

// drawn is an order that is answered after 10 ms and charged by 60 ms, in trace n.
func drawn(n byte) []journey.Span {
	return []journey.Span{
		span(n, 1, 0, "gateway", "POST /orders/12345", journey.KindServer, 0, 10*time.Millisecond),
		messaging(span(n, 2, 1, "gateway", "send orders", journey.KindProducer, 2*time.Millisecond, 4*time.Millisecond), "send", "orders", ""),
		messaging(span(n, 3, 2, "payment", "process orders", journey.KindConsumer, 30*time.Millisecond, 60*time.Millisecond), "process", "orders", "payment"),
	}
}

func only(t *testing.T, spans []journey.Span) *journey.Journey {
	t.Helper()
	journeys := journey.NewSet(spans).Journeys()
	if len(journeys) != 1 {
		t.Fatalf("%d journeys, want 1", len(journeys))
	}
	return journeys[0]
}

func TestWhatIsKept(t *testing.T) {
	s := summary.Of(only(t, drawn(7)), "")
	got := fmt.Sprintln(s.Root.Trace, s.Root.Span, s.Root.Service, s.Root.Name, s.Start-base, s.Outcome, *s.CallerWait, *s.Completion, *s.Tail, *s.QueueWait, s.Spans, s.Traces, s.Messages, s.Deliveries, s.Queues, s.Steps)
	want := "00000000000000000000000000000007 0000000000000001 gateway POST /orders/{id} 0 ok 10ms 60ms 50ms 26ms 3 1 1 1 [{orders payment 1 [26ms]}] [{payment process orders 30ms 26ms} {gateway POST /orders/{id} 2ms 0s} {gateway send orders 2ms 0s}]\n"
	if got != want {
		t.Errorf("kept\n%swant\n%s", got, want)
	}
	if s.TraceID() != drawn(7)[0].Trace {
		t.Errorf("key %v", s.TraceID())
	}
}

func TestOutcomes(t *testing.T) {
	fail := func(n int) func([]journey.Span) {
		return func(spans []journey.Span) { spans[n].Status = journey.StatusError }
	}
	for _, c := range []struct {
		why, incomplete string
		edit            func([]journey.Span)
		want            string
	}{
		{"all is well", "", func([]journey.Span) {}, "ok false  "},
		{"the caller is told", "", fail(0), "error false  "},
		{"the caller is not told", "", fail(2), "error true  "},
		{"what links to nothing", "", func(s []journey.Span) {
			s[2].Parent, s[2].Links = journey.SpanID{}, []journey.Link{{Ref: journey.Ref{Trace: journey.TraceID{1}, Span: journey.SpanID{1}}}}
			s[2].Trace = s[0].Trace
			s[2].Parent = journey.SpanID{5}
		}, "incomplete false P01"},
		{"what the watcher knows", "partition 7 was behind", fail(0), "incomplete false "},
	} {
		spans := drawn(1)
		c.edit(spans)
		journeys := journey.NewSet(spans).Journeys()
		s := summary.Of(journeys[0], c.incomplete)
		got := strings.TrimSpace(fmt.Sprint(s.Outcome, " ", s.Silent, " ", s.ReasonRule()))
		if got != strings.TrimSpace(c.want) || (s.Outcome == summary.Incomplete) != (s.Reason != "") {
			t.Errorf("%s: %q for reason %q, want %q", c.why, got, s.Reason, c.want)
		}
	}
}

// TestALineIsBounded has the greatest summary that there can be, of control characters that JSON writes as six.
func TestALineIsBounded(t *testing.T) {
	hostile := strings.Repeat("\x01", 5000)
	spans := []journey.Span{span(1, 1, 0, hostile, hostile, journey.KindServer, 0, time.Second)}
	for k := range 600 {
		send := messaging(span(1, 0, 1, hostile, hostile+fmt.Sprint(k), journey.KindProducer, time.Millisecond, time.Duration(k)*time.Microsecond), "send", fmt.Sprint(k%40)+hostile, "")
		binary.BigEndian.PutUint32(send.ID[:], uint32(2*k+1))
		handle := messaging(span(1, 0, 0, fmt.Sprint(k)+hostile, fmt.Sprint(k)+hostile, journey.KindConsumer, time.Duration(k)*time.Millisecond, time.Duration(k+1)*time.Millisecond), "process", fmt.Sprint(k%40)+hostile, hostile)
		handle.Parent = send.ID
		binary.BigEndian.PutUint32(handle.ID[:], uint32(2*k+2))
		spans = append(spans, send, handle)
	}
	s := summary.Of(journey.NewSet(spans).Journeys()[0], "")
	line := s.JSON()
	if len(line) > 1<<20 {
		t.Errorf("%d bytes", len(line))
	}
	read, err := summary.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	if read.Deliveries != 600 || len(read.Queues) != 32 {
		t.Errorf("%d deliveries in %d queues, want 600 in 32", read.Deliveries, len(read.Queues))
	}
}

func TestLongListsAreThinned(t *testing.T) {
	spans := []journey.Span{span(1, 1, 0, "a", "root", journey.KindServer, 0, time.Millisecond)}
	for k := range 1000 {
		send := messaging(span(1, 0, 1, "a", "send", journey.KindProducer, 0, time.Millisecond), "send", "orders", "")
		binary.BigEndian.PutUint32(send.ID[:], uint32(2*k+1))
		handle := messaging(span(1, 0, 0, "b", fmt.Sprintf("process n%dn", k), journey.KindConsumer, time.Duration(k+1)*time.Millisecond, time.Duration(k+2)*time.Millisecond), "process", "orders", "b")
		handle.Parent = send.ID
		binary.BigEndian.PutUint32(handle.ID[:], uint32(2*k+2))
		spans = append(spans, send, handle)
	}
	s := summary.Of(only(t, spans), "")
	q := s.Queues[0]
	if q.Deliveries != 1000 || len(q.Waits) != 256 || q.Waits[0] != 0 || q.Waits[255] != 999*time.Millisecond || !slices.IsSorted(q.Waits) {
		t.Errorf("%d deliveries, %d waits from %v to %v", q.Deliveries, len(q.Waits), q.Waits[0], q.Waits[len(q.Waits)-1])
	}
}

func TestStepsBehindTheLongestAreTheRest(t *testing.T) {
	spans := []journey.Span{span(1, 1, 0, "a", "root", journey.KindServer, 0, 200*time.Millisecond)}
	for k := range byte(100) {
		spans = append(spans, span(1, k+2, 1, "b", fmt.Sprintf("step n%dn", k), journey.KindInternal, time.Duration(k)*time.Millisecond, time.Duration(k+1)*time.Millisecond))
	}
	s := summary.Of(only(t, spans), "")
	if len(s.Steps) != 64 || s.Rest == nil || s.Rest.Steps != 101-64 || s.Steps[0].Name != "root" {
		t.Fatalf("%d steps and %+v", len(s.Steps), s.Rest)
	}
	sum := s.Rest.Work + s.Rest.Wait
	for _, x := range s.Steps {
		sum += x.Work + x.Wait
	}
	if sum != *s.Completion {
		t.Errorf("steps add up to %v of %v", sum, *s.Completion)
	}
}
