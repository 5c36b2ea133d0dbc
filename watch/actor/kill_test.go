package actor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// A partition that is lost and read again from the oldest offset that it needed judges nothing twice, misses nothing and says the
// same, though the group is behind now and then and spans come late.
func TestKillsAndPausesChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := drawWorld(t)
		want := wanted(spans)
		if want == nil {
			t.Skip("a root without its parent, in a trace that begins with a receive span")
		}
		n := newNetwork(t, rapid.IntRange(1, 4).Draw(t, "partitions"), actor.Config{})
		var last lastVerdict
		next := 0
		for tick := range 160 {
			n.bounded = tick < 60
			for ; next < len(spans) && (tick > 5 || rapid.IntRange(0, 2).Draw(t, "more") > 0); next++ {
				n.post(record.Record{Kind: record.Span, To: spans[next].Trace, Spans: [][]byte{record.AppendSpan(nil, &spans[next])}})
			}
			if tick < 60 && rapid.IntRange(0, 19).Draw(t, "kill") == 0 {
				for range rapid.IntRange(0, 9).Draw(t, "handled before") {
					n.step()
				}
				n.kill(rapid.IntRange(0, len(n.partitions)-1).Draw(t, "which"))
			}
			n.drain()
			n.behind = tick < 60 && rapid.IntRange(0, 7).Draw(t, "pause") == 0
			n.advance(500 * time.Millisecond)
			if n.drain(); tick >= 60 && next == len(spans) {
				last.look(n)
			}
		}
		for range 12 {
			n.drain()
			n.advance(20 * time.Second)
		}
		last.came(n)
		n.compare(want)
	})
}

// A trace that was closed without a verdict may be read again from its middle, when a partition is lost while a trace stays open that began in
// between. What is left of it may begin at a span whose parent is not read again: it is not judged.
func TestClosedTracesReadAgainFromTheirMiddle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := drawWorld(t)
		want := wanted(spans)
		if want == nil {
			t.Skip("a root without its parent, in a trace that begins with a receive span")
		}
		long := journey.Span{Trace: journey.TraceID{0xaa}, Kind: journey.KindServer, Name: "long", Service: "a", Start: base, End: base + 1}
		n := newNetwork(t, rapid.IntRange(1, 2).Draw(t, "partitions"), actor.Config{Window: 6 * time.Second})
		post := func(s *journey.Span) {
			n.post(record.Record{Kind: record.Span, To: s.Trace, Spans: [][]byte{record.AppendSpan(nil, s)}})
			n.drain()
		}
		extend := func() {
			long.ID[0]++
			post(&long)
			long.Parent[0] = 1
		}
		begins := rapid.IntRange(0, len(spans)-1).Draw(t, "the long trace begins")
		for k := range spans {
			if k == begins {
				extend()
			}
			post(&spans[k])
		}
		for tick := range 40 { // all others close
			n.advance(time.Second)
			n.drain()
			if tick%3 == 0 {
				extend()
			}
		}
		for k := range n.partitions {
			n.kill(k)
		}
		for range 40 {
			n.drain()
			n.advance(time.Second)
		}
		delete(n.verdicts, long.Trace)
		n.compare(want)
	})
}

// kill loses a partition, and lets another watcher read it from the oldest offset that was needed, knowing the verdicts so far.
func (n *network) kill(k int) {
	from, open := n.partitions[k].Oldest()
	if open {
		n.next[k] = min(n.next[k], int(from))
	}
	n.partitions[k] = actor.New(n.config)
	for root := range n.verdicts {
		if record.Partition(root, int32(len(n.partitions))) == int32(k) {
			n.partitions[k].Done(root)
		}
	}
}

// When a partition is read again, others may know of a trace's root before the trace itself does: it passes nothing on that has no name.
func TestRootThatOnlyOthersKnow(t *testing.T) {
	p := actor.New(actor.Config{})
	own, below := handles(1, 2), handles(3, 1)
	below.Links[0].Span = own.ID
	p.Handle(record.Record{Kind: record.Span, To: own.Trace, Spans: [][]byte{record.AppendSpan(nil, &own)}}, 0)
	p.Handle(record.Record{Kind: record.Ask, To: own.Trace, From: below.Trace, Of: own.ID, Spans: [][]byte{record.AppendSpan(nil, &below)}}, 1)
	p.Handle(record.Record{
		Kind: record.Tell, To: own.Trace, From: own.Links[0].Trace, Of: own.Links[0].Span, Spans: [][]byte{record.AppendSpan(nil, &sends(2)[1])},
		Roots: []record.Root{{Trace: own.Trace, Orphan: true, First: base}, {Trace: own.Links[0].Trace, First: base}},
	}, 2)
	send, _ := p.Take()
	told := 0
	for _, r := range send {
		for _, x := range r.Roots {
			if told++; x.Trace != own.Links[0].Trace {
				t.Errorf("%v tells of the root %s", r.Kind, x.Trace)
			}
		}
	}
	if told != 1 {
		t.Errorf("%d roots were told of, want 1", told)
	}
}
