// Package actor is the protocol by which traces that are spread over partitions find their journeys. Each trace id has an actor,
// in the partition of the trace: it knows the trace's spans, asks other actors for what its spans link to, tells which roots reach
// what others link to, and gives each span to the roots that reach it. The root's actor judges.
//
// Nothing here knows Kafka, the time or goroutines: records go in, records and verdicts come out.
package actor

import (
	"bytes"
	"cmp"
	"container/heap"
	"hash/maphash"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/watch/record"
)

// Config sets limits and times. Times are gated: they pass only while the whole group of watchers is up to date.
type Config struct {
	Quiet      time.Duration // a root is judged when nothing new came for so long; 0 is 5 s
	Window     time.Duration // what waits for something waits no longer than that; 0 is 60 s
	Causes     int           // how many roots may reach one span; with more it is given to none; 0 is 64
	TraceSpans int           // how many spans of one trace are kept; 0 is 100,000
	MaxBytes   int64         // how many bytes of records all actors keep before the oldest is evicted; 0 is 1 GiB
}

// Verdict is what was found about one root.
type Verdict struct {
	Root       journey.TraceID
	Journey    *journey.Journey // of a Set that has the journey's spans, stubs of what else led to them, and no more
	Incomplete string           // why spans are missing, or empty
}

// Partition holds the actors of one partition. It is not safe for use by several goroutines.
type Partition struct {
	config    Config
	seed      maphash.Seed
	now, wall time.Duration
	ready     bool
	since     time.Duration // when the group was up to date again
	counts    Counts
	traces    map[journey.TraceID]*trace
	born      []*trace // the oldest first
	due       dueQueue
	dirty     []*trace
	resources map[string]*resource
	over      map[journey.TraceID]time.Duration // traces that are decided and forgotten, and when
	done      map[journey.TraceID]time.Duration // roots that were judged before
	swept     time.Duration
	groups    knownGroups
	send      []record.Record
	verdicts  []Verdict
}

// New returns a partition without actors.
func New(config Config) *Partition {
	config.Quiet = cmp.Or(config.Quiet, 5*time.Second)
	config.Window = cmp.Or(config.Window, time.Minute)
	config.Causes = cmp.Or(config.Causes, 64)
	config.TraceSpans = cmp.Or(config.TraceSpans, 100_000)
	config.MaxBytes = cmp.Or(config.MaxBytes, 1<<30)
	return &Partition{
		config: config, seed: maphash.MakeSeed(), traces: make(map[journey.TraceID]*trace), resources: make(map[string]*resource),
		over: make(map[journey.TraceID]time.Duration), done: make(map[journey.TraceID]time.Duration),
	}
}

// Done says that a root was judged before, by this or another watcher. It still answers, and is not judged again.
func (p *Partition) Done(root journey.TraceID) {
	p.done[root] = p.now
	if t := p.traces[root]; t != nil {
		t.done = true
	}
}

// Take returns what came out since the last call: records for other actors, to be sent before the verdicts, and the verdicts.
func (p *Partition) Take() (send []record.Record, verdicts []Verdict) {
	p.workAll()
	send, verdicts = p.send, p.verdicts
	p.send, p.verdicts = nil, nil
	slices.SortFunc(send, compareRecords)
	return send, verdicts
}

func compareRecords(a, b record.Record) int {
	return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From), cmp.Compare(a.Kind, b.Kind), a.Of.Compare(b.Of),
		slices.CompareFunc(a.Spans, b.Spans, bytes.Compare), slices.CompareFunc(a.Stubs, b.Stubs, bytes.Compare))
}

// Advance sets the gated time, which never goes back. When ready is false, no root is judged: the group is behind.
func (p *Partition) Advance(now time.Duration, ready bool) {
	if ready && !p.ready {
		p.since = now
	}
	p.now, p.ready = max(p.now, now), ready
	p.workAll()
	for len(p.due) > 0 && p.due[0].at <= p.now && ready {
		e := heap.Pop(&p.due).(entry)
		if e.trace.at != e.at || p.traces[e.trace.id] != e.trace {
			continue // a later or an earlier entry stands for it
		}
		p.look(e.trace)
	}
	p.sweep()
}

// Oldest returns the lowest offset that an open actor still needs, and false when there is none: then everything read is done with.
func (p *Partition) Oldest() (offset int64, open bool) {
	for _, t := range p.traces {
		if !open || t.oldest < offset {
			offset, open = t.oldest, true
		}
	}
	return offset, open
}

// trace returns the actor of a trace, a new one if need be.
func (p *Partition) trace(id journey.TraceID, offset int64) *trace {
	if t := p.traces[id]; t != nil {
		return t
	}
	t := &trace{
		id: id, oldest: offset, born: p.wall, news: p.now, at: -1, worked: -p.config.Window, seen: make(map[uint64]struct{}), asks: make(map[journey.SpanID][]ask),
		answers: make(map[journey.Ref]*answer), asked: make(map[asking]time.Duration), reaches: make(map[journey.TraceID]bool),
		gave: make(map[journey.TraceID]*gift), sent: make(map[telling]uint64),
	}
	_, t.done = p.done[id]
	p.traces[id] = t
	p.born = append(p.born, t)
	p.grow(t, 512)
	p.wake(t, p.now+p.config.Quiet)
	return t
}

// touch notes that a trace has news.
func (p *Partition) touch(t *trace) {
	if !t.dirty {
		t.dirty = true
		p.dirty = append(p.dirty, t)
	}
}

// wake looks at a trace at a time, if not before.
func (p *Partition) wake(t *trace, at time.Duration) {
	if t.at < 0 || at < t.at {
		t.at = at
		heap.Push(&p.due, entry{at, t})
	}
}

// entry says when to look at a trace.
type entry struct {
	at    time.Duration
	trace *trace
}

// dueQueue is a heap of entries, the earliest first.
type dueQueue []entry

func (q dueQueue) Len() int           { return len(q) }
func (q dueQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q dueQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)        { *q = append(*q, x.(entry)) }
func (q *dueQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = entry{}
	*q = old[:len(old)-1]
	return e
}
