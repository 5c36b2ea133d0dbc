// Package actor is the protocol by which traces that are spread over partitions find their journeys. Each trace has one actor, in the
// partition of the trace, which keeps the trace's spans. Actors exchange three kinds of records:
//
//   - ask: "a span of mine links to this span of yours: what is it, and which roots reach it?"
//   - tell: the answer, sent again whenever it changes; or a root's verdict whether its journey reaches a trace
//   - give: a copy of a span, for the actor of each root that reaches it; or that a root does not reach it after all
//
// So the root's actor collects all spans of its journey and judges it. A root reaches a span when its journey contains it. A stub is what
// an actor keeps of a span of another trace: enough to apply the judge's rules, but not part of a journey.
//
// Spans and stubs are sets that only grow. Which roots reach a span is not: a trace seems to begin at a span whose parent is on its way, or a poll to stand for
// what others turn out to handle. So the records that say it have a version, which grows with what their sender knows, and the highest holds.
//
// The package uses no Kafka, no clock and no goroutines: records go in, records and verdicts come out.
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

// Config sets limits and times. Times are gated: they pass only while the whole group of watchers is up to date. A zero field takes its default.
type Config struct {
	Quiet      time.Duration // a root is judged when nothing new came for this long; default 5 s
	Window     time.Duration // an actor waits at most this long for what is missing; default 60 s
	Causes     int           // maximum number of roots that reach one span; with more it is given to none, or taken back; default 64
	TraceSpans int           // maximum number of spans of one trace; default 100,000
	MaxBytes   int64         // memory limit of all actors, after which the oldest is evicted; default 1 GiB
}

// Verdict is the judged journey of one root.
type Verdict struct {
	Root       journey.TraceID
	Journey    *journey.Journey // of a Set of exactly its spans and stubs of their other causes
	Incomplete string           // why spans are missing; "" for a complete journey
}

// Partition holds the actors of one partition of the work topic. It is not safe for concurrent use.
type Partition struct {
	config    Config
	seed      maphash.Seed
	now       time.Duration // the partition's own time, by which all times of its traces are: see Advance
	clock     Time          // of the last Advance
	begun     bool          // there was one
	left      bool          // more is due than it looked at
	since     time.Duration // when the group was up to date again
	counts    Counts
	traces    map[journey.TraceID]*trace
	born      []*trace // the oldest first
	due       dueQueue
	needs     neededQueue
	pending   neededQueue // traces of which a verdict may come
	dirty     []*trace
	resources map[string]*resource
	decoded   journey.Span                      // the span that split decoded last, without its resource
	over      map[journey.TraceID]time.Duration // traces that are decided and forgotten, and when
	done      map[journey.TraceID]time.Duration // roots that were judged before
	swept     time.Duration
	groups    knownGroups
	send      []record.Record
	verdicts  []Verdict
}

// New creates a partition without actors.
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

// Done notes that a root was judged before, by this or another watcher. Its actor still answers others, but does not judge again.
func (p *Partition) Done(root journey.TraceID) {
	p.done[root] = p.now
	if t := p.traces[root]; t != nil {
		t.done = true
	}
}

// Take returns the records for other actors and the verdicts since the last call. Send the records before the verdicts.
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

// Time is what a watcher's clocks show. None of them goes back.
type Time struct {
	Gated time.Duration // passes only while the whole group of watchers is up to date
	Wall  time.Duration // always passes
	Ready bool          // the group is up to date: verdicts may be given
}

// Advance sets the time, and judges the roots that are due while more returns true; a nil more always does. It returns whether some are left.
// Until they are judged, no time passes for this partition, so the verdicts are the same as if one call had looked at all. Time begins with the
// first call. While the group is behind, no root is judged.
func (p *Partition) Advance(now Time, more func() bool) (left bool) {
	if p.begun && !p.left {
		p.now += max(0, now.Gated-p.clock.Gated)
	}
	if now.Ready && !p.clock.Ready {
		p.since = p.now
	}
	p.clock, p.begun, p.left = now, true, false
	p.workAll()
	for len(p.due) > 0 && p.due[0].at <= p.now && now.Ready {
		if more != nil && !more() {
			p.left = true
			return true
		}
		e := heap.Pop(&p.due).(entry)
		if e.trace.at != e.at || p.traces[e.trace.id] != e.trace {
			continue // a later or an earlier entry stands for it
		}
		p.look(e.trace)
	}
	p.sweep()
	return false
}

// Oldest returns the lowest offset that an open actor still needs. It returns false when there is none: then no record that was read is needed.
// It takes O(log n) for each actor that was forgotten since the last call, and O(1) besides.
func (p *Partition) Oldest() (offset int64, open bool) {
	for len(p.needs) > 0 {
		e := p.needs[0]
		if t := p.traces[e.id]; t != nil && t.oldest == e.offset {
			return e.offset, true
		}
		heap.Pop(&p.needs)
	}
	return 0, false
}

// need notes that a trace needs the records from an offset on.
func (p *Partition) need(t *trace, offset int64) {
	t.oldest = offset
	heap.Push(&p.needs, needed{offset, t.id})
	if t.pending {
		heap.Push(&p.pending, needed{offset, t.id})
	}
}

// trace returns the actor of a trace, and creates it if needed.
func (p *Partition) trace(id journey.TraceID, offset int64) *trace {
	if t := p.traces[id]; t != nil {
		return t
	}
	t := &trace{
		id: id, born: p.clock.Wall, news: p.now, at: -1, worked: -p.config.Window, hopeful: -1,
	}
	_, t.done = p.done[id]
	p.traces[id] = t
	p.need(t, offset)
	p.born = append(p.born, t)
	p.grow(t, traceBytes)
	p.wake(t, p.now+p.config.Quiet)
	return t
}

// touch notes that something new is known of a trace.
func (p *Partition) touch(t *trace) {
	t.studied = false
	if !t.dirty {
		t.dirty = true
		p.dirty = append(p.dirty, t)
	}
}

// wake makes sure that a trace is looked at by a given time.
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

// dueQueue is a heap of entries, the earliest first, and of those for one time the one with the lowest trace id.
type dueQueue []entry

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].trace.id.Compare(q[j].trace.id) < 0
}
func (q dueQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *dueQueue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q *dueQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = entry{}
	*q = old[:len(old)-1]
	return e
}

// needed is an offset that a trace needs, as long as its actor is open. It does not hold the actor, which may be forgotten long before its turn.
type needed struct {
	offset int64
	id     journey.TraceID
}

// neededQueue is a heap of them, the lowest offset first.
type neededQueue []needed

func (q neededQueue) Len() int           { return len(q) }
func (q neededQueue) Less(i, j int) bool { return q[i].offset < q[j].offset }
func (q neededQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *neededQueue) Push(x any)        { *q = append(*q, x.(needed)) }
func (q *neededQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}
