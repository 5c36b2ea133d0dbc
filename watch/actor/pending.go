package actor

import "container/heap"

// Pending returns the lowest offset of the records of traces whose root may still get a verdict. It returns false when there is none: then nothing is
// to come of what was read, unless something new comes. Amortized it takes O(log n) for each trace.
func (p *Partition) Pending() (offset int64, open bool) {
	for len(p.pending) > 0 {
		e := p.pending[0]
		t := p.traces[e.id]
		current := t != nil && t.oldest == e.offset
		if current && p.isPending(t) {
			return e.offset, true
		}
		heap.Pop(&p.pending)
		if current {
			t.pending = false
		}
	}
	return 0, false
}

// expect notes that a verdict may come of a trace.
func (p *Partition) expect(t *trace) {
	if !t.pending && t.judged == open {
		t.pending = true
		heap.Push(&p.pending, needed{t.oldest, t.id})
	}
}

// isPending reports whether a verdict may come of a trace although nothing new comes. None comes of one whose view has no root, once it has given up on
// the answers that did not come: it stays only for the verdicts of other roots, which are pending themselves.
func (p *Partition) isPending(t *trace) bool {
	if t.judged != open || len(t.own) == 0 {
		return false
	}
	if !t.studied || t.rooted {
		return true
	}
	for key, asked := range t.asked.all() {
		if asked+p.config.Quiet/4 > t.worked && !t.answered(key) {
			return true
		}
	}
	return false
}

// End decides what became of the traces of which no verdict is to come, without waiting until their window has passed. It is for a reader that ends.
func (p *Partition) End() {
	for _, t := range p.traces {
		if t.judged == open && t.counted && !p.isPending(t) {
			p.decide(t, p.fate(t))
		}
	}
}
