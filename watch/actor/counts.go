package actor

import "slices"

// Counts says what became of the traces of a partition, and how much memory it uses. Seen is the sum of Open, Judged, Incomplete, Parts,
// Shared, Rootless and Evicted.
type Counts struct {
	Seen       int64 // traces of which at least one span came
	Open       int64 // traces that are not decided yet
	Judged     int64 // traces whose root was judged complete, now or before
	Incomplete int64 // traces whose root was judged incomplete
	Parts      int64 // traces without a root that are part of another root's journey
	Shared     int64 // traces that belong to no journey by rule: polls, commits, workers' loops
	Rootless   int64 // traces without a root that no journey reaches
	Evicted    int64 // traces dropped because memory was full

	Late    int64 // spans that came after their trace was decided
	Crowded int64 // spans that more roots reach than Config.Causes, so they are given to none
	Cut     int64 // spans dropped because their trace has more than Config.TraceSpans
	Damaged int64 // spans in records that could not be read
	Bytes   int64 // memory that the actors use
}

// Counts returns what became of the traces so far.
func (p *Partition) Counts() Counts { return p.counts }

// decide sets and counts what became of a trace, once.
func (p *Partition) decide(t *trace, o outcome) {
	if t.judged != open {
		return
	}
	t.judged = o
	for _, x := range t.given { // for the verdict alone
		p.grow(t, -x.size())
	}
	t.given = nil
	if !t.counted {
		return
	}
	p.counts.Open--
	switch o {
	case judged:
		p.counts.Judged++
	case incomplete:
		p.counts.Incomplete++
	case part:
		p.counts.Parts++
	case shared:
		p.counts.Shared++
	case rootless:
		p.counts.Rootless++
	case open:
	}
}

// forget drops an actor. It remembers the id of one that had spans, to count spans that come late.
func (p *Partition) forget(t *trace) {
	delete(p.traces, t.id)
	p.counts.Bytes -= t.bytes
	if t.counted {
		p.over[t.id] = p.now
	}
}

// evict drops the oldest actors while memory is full.
func (p *Partition) evict() {
	for p.counts.Bytes > p.config.MaxBytes && len(p.born) > 0 {
		t := p.born[0]
		p.born = p.born[1:]
		if p.traces[t.id] != t {
			continue
		}
		if t.counted && t.judged == open {
			p.counts.Open--
			p.counts.Evicted++
		}
		p.forget(t)
	}
}

// sweep forgets entries that are too old to matter, at most every quarter of the window.
func (p *Partition) sweep() {
	if p.now-p.swept < p.config.Window/4 {
		return
	}
	p.swept = p.now
	for id, at := range p.over {
		if p.now-at > 2*p.config.Window {
			delete(p.over, id)
		}
	}
	for id, at := range p.done {
		if p.now-at > 4*p.config.Window {
			delete(p.done, id)
		}
	}
	p.born = slices.DeleteFunc(p.born, func(t *trace) bool { return p.traces[t.id] != t })
	p.groups.turn(p.now)
}
