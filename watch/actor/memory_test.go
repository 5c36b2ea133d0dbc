package actor_test

import (
	"runtime"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
)

// The limit of memory holds what actors really take: for traces that are alone, and for those that messages tie together.
func TestBytesAreWhatIsTaken(t *testing.T) {
	const journeys = 100
	for _, c := range []struct {
		name          string
		spans, traces int
	}{{"two traces of 5 spans, tied", 10, 2}, {"two traces of 20 spans, tied", 40, 2}, {"one span", 1, 1}, {"10 spans", 10, 1}} {
		p := actor.New(actor.Config{})
		before := heap()
		for k := range journeys {
			spans := order(k, max(c.spans, 2))[:c.spans]
			for i := range spans {
				if c.traces == 1 {
					spans[i].Trace[0], spans[i].Links = 1, nil
				}
				p.Handle(record.Record{Kind: record.Span, To: spans[i].Trace, Spans: [][]byte{record.AppendSpan(nil, &spans[i])}}, int64(k))
			}
			for send, _ := p.Take(); len(send) > 0; send, _ = p.Take() {
				for _, r := range send {
					x, _ := record.Decode(r.Append(nil))
					p.Handle(x, int64(k))
				}
			}
		}
		taken, counted := heap()-before, p.Counts().Bytes
		t.Logf("%s: %d B a journey, %d counted", c.name, taken/journeys, counted/journeys)
		if r := float64(counted) / float64(taken); r < 0.9 || r > 1.4 {
			t.Errorf("%s: %d bytes are counted, and %d taken", c.name, counted, taken)
		}
		runtime.KeepAlive(p)
	}
}

// The copies of a journey's spans are for its verdict alone: then they go, and none is kept that comes later.
func TestCopiesGoWithTheVerdict(t *testing.T) {
	o := newOne(t, actor.Config{})
	o.read(sends(1)...)
	o.read(handles(2, 1))
	open := o.Counts().Bytes
	o.pass(10 * time.Second)
	if v := o.judged(1); len(v.Journey.Spans()) != 3 {
		t.Errorf("the journey has %d spans, want 3", len(v.Journey.Spans()))
	}
	judged := o.Counts().Bytes
	below := spanOf(2, 7, 2, journey.KindInternal, "stock")
	o.read(below)
	size := int64(len(record.AppendSpan(nil, &below))) + 64
	if late := o.Counts().Bytes; judged >= open || late >= judged+2*size {
		t.Errorf("%d bytes before the verdict, %d after it, %d with a late span of %d", open, judged, late, size)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
