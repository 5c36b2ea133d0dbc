package actor_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// manyTraces returns a partition with n open traces of one span.
func manyTraces(n int) *actor.Partition {
	p := actor.New(actor.Config{})
	p.Advance(actor.Time{Ready: true}, nil)
	s := sends(1)[0]
	for k := range n {
		s.Trace = journey.TraceID{15: 1}
		binary.BigEndian.PutUint32(s.Trace[:], uint32(k)*2_654_435_761)
		p.Handle(record.Record{Kind: record.Span, To: s.Trace, Spans: [][]byte{record.AppendSpan(nil, &s)}}, int64(k))
	}
	p.Take()
	return p
}

// roots returns the roots of the verdicts since the last time.
func roots(p *actor.Partition) (list []journey.TraceID) {
	_, verdicts := p.Take()
	for _, v := range verdicts {
		list = append(list, v.Root)
	}
	return list
}

// However many traces are due, one call looks at no more than it may. The verdicts come in the same order as from one call, and each once.
func TestAdvanceIsBounded(t *testing.T) {
	const traces, most = 2000, 50
	due := actor.Time{Gated: 5 * time.Second, Ready: true}
	once := manyTraces(traces)
	if once.Advance(due, nil) {
		t.Error("some traces are left after a call without a limit")
	}
	want := roots(once)
	p, calls, got := manyTraces(traces), 0, []journey.TraceID(nil)
	for left := true; left; calls++ {
		left = p.Advance(due, atMost(most))
		list := roots(p)
		if len(list) > most {
			t.Fatalf("call %d gave %d verdicts, want at most %d", calls, len(list), most)
		}
		got = append(got, list...)
		due.Gated += time.Second
	}
	if calls < traces/most || len(want) != traces || !slices.Equal(got, want) {
		t.Errorf("%d calls gave %d verdicts, not the %d of one call in their order", calls, len(got), len(want))
	}
}

// While traces that are due are left, no time passes: what comes meanwhile is given its quiet in full.
func TestTimeStandsWhileTracesAreLeft(t *testing.T) {
	p := manyTraces(10)
	p.Advance(actor.Time{Gated: 5 * time.Second, Ready: true}, atMost(1))
	late := sends(200)[0]
	p.Handle(record.Record{Kind: record.Span, To: late.Trace, Spans: [][]byte{record.AppendSpan(nil, &late)}}, 11)
	for _, at := range []time.Duration{time.Minute, 61 * time.Second, 64 * time.Second} {
		p.Advance(actor.Time{Gated: at, Ready: true}, nil)
	}
	if list := roots(p); len(list) != 10 || slices.Contains(list, late.Trace) {
		t.Errorf("%d verdicts, want 10, and none of the trace that came late", len(list))
	}
	p.Advance(actor.Time{Gated: 65 * time.Second, Ready: true}, nil)
	if list := roots(p); len(list) != 1 || list[0] != late.Trace {
		t.Errorf("verdicts of %v, want one of %s", list, late.Trace)
	}
}

// A partition that comes to a watcher which has run for hours knows what was judged before.
func TestDoneBeforeTimeBegins(t *testing.T) {
	p := actor.New(actor.Config{})
	p.Done(refOf(1, 1).Trace)
	p.Advance(actor.Time{Gated: 10 * time.Hour, Ready: true}, nil)
	for _, s := range sends(1) {
		p.Handle(record.Record{Kind: record.Span, To: s.Trace, Spans: [][]byte{record.AppendSpan(nil, &s)}}, 1)
	}
	for second := range 100 {
		p.Advance(actor.Time{Gated: 10*time.Hour + time.Duration(second)*time.Second, Ready: true}, nil)
	}
	if list := roots(p); len(list) != 0 {
		t.Errorf("judged again: %v", list)
	}
}

// A trace whose root was judged before counts as judged, too, when it is read again from its middle, where it has no root.
func TestWhatWasJudgedIsNotWithoutARoot(t *testing.T) {
	o := newOne(t, actor.Config{})
	handled := handles(2, 1)
	o.Done(handled.Trace)
	o.read(handled)
	o.pass(5 * time.Minute)
	o.judged(0)
	if c := o.Counts(); c.Seen != 1 || c.Judged != 1 || c.Rootless != 0 {
		t.Errorf("the counts are %+v, want one trace that was judged", c)
	}
}

// BenchmarkAdvance judges 100,000 traces that are due at once, with a limit of 20 ms a call, and reports the longest call.
func BenchmarkAdvance(b *testing.B) {
	longest := time.Duration(0)
	for b.Loop() {
		p := manyTraces(100_000)
		for left := true; left; {
			start := time.Now()
			left = p.Advance(actor.Time{Gated: 5 * time.Second, Ready: true}, func() bool { return time.Since(start) < 20*time.Millisecond })
			p.Take()
			longest = max(longest, time.Since(start))
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
}
