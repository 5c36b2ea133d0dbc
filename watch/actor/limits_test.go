package actor_test

import (
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// one is a partition that has all traces, and its clock.
type one struct {
	*actor.Partition
	t        *testing.T
	now      time.Duration
	offset   int64
	verdicts []actor.Verdict
}

func newOne(t *testing.T, config actor.Config) *one {
	t.Helper()
	o := &one{Partition: actor.New(config), t: t}
	o.Advance(actor.Time{Ready: true}, nil)
	return o
}

// read handles spans and all that comes of them.
func (o *one) read(spans ...journey.Span) {
	for i := range spans {
		o.Handle(record.Record{Kind: record.Span, To: spans[i].Trace, Spans: [][]byte{record.AppendSpan(nil, &spans[i])}}, o.offset)
		o.offset++
	}
	o.settle()
}

func (o *one) settle() {
	for {
		send, verdicts := o.Take()
		o.verdicts = append(o.verdicts, verdicts...)
		if len(send) == 0 {
			return
		}
		for _, r := range send {
			o.Handle(r, o.offset)
			o.offset++
		}
	}
}

// pass lets gated time pass, half a second after the other.
func (o *one) pass(d time.Duration) {
	for end := o.now + d; o.now < end; {
		o.now += 500 * time.Millisecond
		o.Advance(actor.Time{Gated: o.now, Wall: o.now, Ready: true}, nil)
		o.settle()
	}
}

// judged checks how many verdicts there were since the last time, and returns the last.
func (o *one) judged(want int) actor.Verdict {
	o.t.Helper()
	if len(o.verdicts) != want {
		o.t.Fatalf("%d verdicts, want %d: %+v", len(o.verdicts), want, o.verdicts)
	}
	c := o.Counts()
	if c.Seen != c.Open+c.Judged+c.Incomplete+c.Parts+c.Shared+c.Rootless+c.Evicted {
		o.t.Fatalf("counts do not add up: %+v", c)
	}
	if want == 0 {
		return actor.Verdict{}
	}
	v := o.verdicts[want-1]
	o.verdicts = nil
	return v
}

func refOf(trace, id byte) journey.Ref {
	return journey.Ref{Trace: journey.TraceID{trace, 15: 1}, Span: journey.SpanID{id}}
}

// sends makes a trace whose root sends a message.
func sends(trace byte) []journey.Span {
	root, p := refOf(trace, 1), refOf(trace, 2)
	return []journey.Span{
		{Trace: root.Trace, ID: root.Span, Kind: journey.KindServer, Name: "order", Service: "orders", Start: base, End: base + 30_000_001},
		{Trace: p.Trace, ID: p.Span, Parent: root.Span, Kind: journey.KindProducer, Name: "send t", Service: "orders", Start: base + 10_000_003, End: base + 20_000_007, Attributes: []journey.Attribute{
			{Key: semconv.MessagingOperationType, Value: journey.StringValue("send")}, {Key: semconv.MessagingDestinationName, Value: journey.StringValue("t")},
		}},
	}
}

// handles makes a span in a trace of its own that handles the messages of several traces.
func handles(trace byte, of ...byte) journey.Span {
	r := refOf(trace, 1)
	s := journey.Span{Trace: r.Trace, ID: r.Span, Kind: journey.KindConsumer, Name: "process t", Service: "stock", Start: base + 40_000_009, End: base + 60_000_011, Attributes: []journey.Attribute{
		{Key: semconv.MessagingOperationType, Value: journey.StringValue("process")}, {Key: semconv.MessagingDestinationName, Value: journey.StringValue("t")},
		{Key: semconv.MessagingConsumerGroupName, Value: journey.StringValue("g")},
	}}
	for _, k := range of {
		s.Links = append(s.Links, journey.Link{Ref: refOf(k, 2)})
	}
	return s
}

// A root that is open for longer than patience is judged though the group is behind: once, as incomplete, for the reason given.
func TestOverdue(t *testing.T) {
	o := newOne(t, actor.Config{})
	overdue := func(wall time.Duration) {
		o.Advance(actor.Time{Wall: wall}, nil)
		o.Overdue(5*time.Minute, "partition 7 was behind", nil)
		o.settle()
	}
	o.read(sends(1)...)
	overdue(time.Minute)
	o.read(sends(2)...)
	overdue(5 * time.Minute)
	o.judged(0)
	overdue(5*time.Minute + 1)
	if v := o.judged(1); v.Incomplete != "partition 7 was behind" || v.Root != refOf(1, 1).Trace {
		t.Errorf("verdict %+v", v)
	}
	overdue(6*time.Minute + 1)
	if v := o.judged(1); v.Root != refOf(2, 1).Trace {
		t.Errorf("verdict %+v", v)
	}
	overdue(10 * time.Minute)
	o.pass(2 * time.Minute)
	o.judged(0)
	if c := o.Counts(); c.Incomplete != 2 || c.Open != 0 || c.Bytes != 0 {
		t.Errorf("counts %+v", c)
	}
}

// While the group is behind no root is judged, and quiet starts anew when it is back.
func TestBehind(t *testing.T) {
	o := newOne(t, actor.Config{})
	o.pass(time.Second)
	o.read(sends(1)...)
	o.pass(4500 * time.Millisecond)
	o.Advance(actor.Time{Gated: o.now + time.Hour}, nil)
	o.settle()
	o.judged(0)
	o.now += time.Hour
	o.pass(5 * time.Second)
	o.judged(0)
	o.pass(500 * time.Millisecond)
	o.judged(1)
}

// What a batch did that more roots reach than are passed on belongs to none of them, and is counted.
func TestCauses(t *testing.T) {
	for _, roots := range []byte{2, 3} {
		o := newOne(t, actor.Config{Causes: 2})
		batch := handles(9)
		for k := range roots {
			o.read(sends(k + 1)...)
			batch.Links = append(batch.Links, handles(9, k+1).Links...)
		}
		below := sends(9)[1]
		below.Parent, below.Start, below.End = batch.ID, batch.Start+1, batch.End-1
		o.read(batch, below)
		o.pass(2 * time.Minute)
		verdicts := o.verdicts
		o.judged(int(roots))
		spans, crowded := 4, int64(0)
		if roots > 2 {
			spans, crowded = 3, 2
		}
		for _, v := range verdicts {
			if n := len(v.Journey.Spans()); n != spans {
				t.Errorf("%d roots: a journey has %d spans, want %d", roots, n, spans)
			}
		}
		if c := o.Counts(); c.Crowded != crowded || c.Parts != 1 {
			t.Errorf("%d roots: counts %+v", roots, c)
		}
	}
}

// Of a trace no more spans are kept than its limit, and those beyond are counted, but not those that came before.
func TestTraceSpans(t *testing.T) {
	o := newOne(t, actor.Config{TraceSpans: 3})
	spans := sends(1)
	for k := range byte(3) {
		s := spans[0]
		s.ID, s.Parent, s.Kind = refOf(1, 10+k).Span, spans[0].ID, journey.KindInternal
		spans = append(spans, s)
	}
	o.read(spans...)
	o.read(spans[:3]...)
	o.pass(2 * time.Minute)
	if v := o.judged(1); len(v.Journey.Spans()) != 3 {
		t.Errorf("the journey has %d spans, want 3", len(v.Journey.Spans()))
	}
	if c := o.Counts(); c.Cut != 2 {
		t.Errorf("%d spans were cut, want 2", c.Cut)
	}
}

// When memory is full, the oldest traces are given up and counted; the others are judged.
func TestEviction(t *testing.T) {
	const limit = 20_000
	o := newOne(t, actor.Config{MaxBytes: limit})
	for k := range byte(100) {
		o.read(sends(k + 1)...)
		if c := o.Counts(); c.Bytes > limit {
			t.Fatalf("%d bytes are kept after %d traces", c.Bytes, k+1)
		}
	}
	o.pass(2 * time.Minute)
	c := o.Counts()
	if c.Evicted == 0 || c.Judged == 0 || c.Evicted+c.Judged != 100 || c.Bytes != 0 {
		t.Fatalf("counts %+v", c)
	}
	for _, v := range o.verdicts {
		if int64(v.Root[0]) <= c.Evicted {
			t.Errorf("trace %d was judged, though the first %d were evicted", v.Root[0], c.Evicted)
		}
	}
	o.judged(int(c.Judged))
}

// Spans that come after the verdict change nothing and are counted, also when their trace is forgotten, or was judged by another.
func TestLate(t *testing.T) {
	o := newOne(t, actor.Config{})
	late := func(k byte, trace byte) journey.Span {
		s := sends(trace)[0]
		s.ID, s.Parent = refOf(trace, k).Span, refOf(trace, 1).Span
		return s
	}
	o.read(sends(1)...)
	o.pass(10 * time.Second)
	o.judged(1)
	o.read(late(10, 1))
	o.pass(2 * time.Minute)
	o.read(late(11, 1), late(12, 1))
	o.pass(time.Minute)
	o.Done(refOf(2, 1).Trace)
	o.read(sends(2)...)
	o.pass(10 * time.Second)
	o.judged(0)
	if c := o.Counts(); c.Late != 3 || c.Judged != 2 || c.Seen != 2 {
		t.Errorf("counts %+v", c)
	}
}

// A root waits up to the window for the groups that handle its topic's messages elsewhere.
func TestKnownGroups(t *testing.T) {
	o := newOne(t, actor.Config{})
	o.read(sends(1)...)
	o.read(handles(11, 1))
	o.pass(10 * time.Second)
	if v := o.judged(1); v.Incomplete != "" {
		t.Fatalf("incomplete: %s", v.Incomplete)
	}
	o.read(sends(2)...)
	o.pass(30 * time.Second)
	o.judged(0)
	o.read(handles(12, 2)) // it was slow
	o.pass(6 * time.Second)
	if v := o.judged(1); v.Incomplete != "" || len(v.Journey.Spans()) != 3 {
		t.Fatalf("handled late: %d spans, incomplete: %s", len(v.Journey.Spans()), v.Incomplete)
	}
	o.read(sends(3)...)
	o.pass(59 * time.Second)
	o.judged(0)
	o.pass(2 * time.Second)
	if v := o.judged(1); !strings.Contains(v.Incomplete, "not handled by g") {
		t.Errorf("incomplete: %q", v.Incomplete)
	}
	o.pass(time.Hour) // nobody handled a message, so the group is not waited for any more
	o.read(sends(4)...)
	o.pass(10 * time.Second)
	if v := o.judged(1); v.Incomplete != "" {
		t.Errorf("an hour later: incomplete: %s", v.Incomplete)
	}
}

// A trace that starts at an orphan waits for the verdict of a root that may reach it, though that one takes the whole window.
func TestOrphanWaitsForTheOtherRoot(t *testing.T) {
	o := newOne(t, actor.Config{})
	o.read(sends(1)...)
	o.read(handles(11, 1))
	o.pass(10 * time.Second)
	o.judged(1)
	orphan := sends(12)[0]
	orphan.Parent, orphan.Start, orphan.End = journey.SpanID{0xff}, base+50_000_013, base+55_000_017
	below := handles(12, 2)
	below.ID, below.Attributes = journey.SpanID{5}, below.Attributes[:2] // of no group, so that the root waits for it
	o.read(orphan, below)
	o.pass(time.Second)
	o.read(sends(2)...)
	o.pass(2 * time.Minute)
	if v := o.judged(1); v.Root != refOf(2, 1).Trace {
		t.Errorf("verdict %+v", v)
	}
}
