package actor_test

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/watch/actor"
)

// pending reports whether a verdict may come of what was handled.
func (n *network) pending() bool {
	for _, p := range n.partitions {
		if _, open := p.Pending(); open {
			return true
		}
	}
	return false
}

// lastVerdict watches for the first time at which no verdict is pending, with everything handled: more than those before it must not come.
type lastVerdict struct {
	seen     bool
	verdicts int
}

func (l *lastVerdict) look(n *network) {
	n.t.Helper()
	switch pending := n.pending(); {
	case !pending && !l.seen:
		l.seen, l.verdicts = true, len(n.verdicts)
	case l.seen && len(n.verdicts) != l.verdicts:
		n.t.Fatalf("%d verdicts came after no verdict was pending", len(n.verdicts)-l.verdicts)
	}
}

func (l *lastVerdict) came(n *network) {
	n.t.Helper()
	if l.look(n); !l.seen {
		n.t.Fatal("verdicts are pending at the end")
	}
}

// A reader may end as soon as no verdict is pending: when all was quiet, but after the window where a known group has not handled a message.
func TestPendingIsWhatVerdictsComeOf(t *testing.T) {
	o := newOne(t, actor.Config{})
	wants := func(when string, want int64) {
		t.Helper()
		offset, open := o.Pending()
		if !open {
			offset = -1
		}
		if offset != want {
			t.Errorf("%s: pending from offset %d, want %d", when, offset, want)
		}
	}
	wants("before anything came", -1)
	o.read(sends(1)...)
	o.read(handles(11, 1))
	wants("when it came", 0)
	o.pass(6 * time.Second)
	o.judged(1)
	wants("when all was quiet", -1)
	second := o.offset
	o.read(sends(2)...)
	o.pass(30 * time.Second)
	wants("without its handling", second)
	o.pass(31 * time.Second)
	o.judged(1)
	wants("after the window", -1)
	o.read(journey.Span{Trace: refOf(1, 1).Trace, ID: journey.SpanID{9}, Service: "shop", Name: "late", Start: base, End: base + 1})
	wants("when a span came for what was judged", -1)
}

// At its end a reader need not wait for the window to tell what became of the traces that have no journey of their own.
func TestEndDecidesWhatHasNoJourney(t *testing.T) {
	o := newOne(t, actor.Config{})
	o.read(sends(1)...)
	o.read(handles(11, 1))
	o.pass(6 * time.Second)
	if c := o.Counts(); c.Open != 1 || c.Judged != 1 {
		t.Errorf("before the end: %+v", c)
	}
	o.read(sends(2)...) // of which a verdict may come
	o.End()
	if c := o.Counts(); c.Open != 1 || c.Judged != 1 || c.Parts != 1 || c.Seen != 3 {
		t.Errorf("at the end: %+v", c)
	}
}
