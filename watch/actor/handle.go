package actor

import (
	"slices"

	"tracelab/journey"
	"tracelab/watch/record"
)

// Handle takes in a record that was read at an offset of the partition. Neither the order of records nor repeats matter. It keeps no
// reference to the record's memory.
func (p *Partition) Handle(r record.Record, offset int64) {
	if _, over := p.over[r.To]; over {
		if r.Kind == record.Span {
			p.counts.Late += int64(len(r.Spans))
		}
		return
	}
	t := p.trace(r.To, offset)
	if offset < t.oldest {
		p.need(t, offset)
	}
	news, work := false, true
	switch r.Kind {
	case record.Span:
		news = p.handleSpans(t, r)
	case record.Ask:
		news = p.handleAsk(t, r)
	case record.Tell:
		news, work = p.handleTell(t, r), !r.Judge
	case record.Give:
		news, work = p.handleGive(t, r)
	}
	if news {
		p.expect(t)
	}
	switch {
	case news && work:
		t.news = p.now
		p.touch(t)
	case news:
		t.news = p.now
		p.wake(t, p.now+p.config.Quiet)
	}
	p.evict()
}

func (p *Partition) handleSpans(t *trace, r record.Record) (news bool) {
	for _, b := range r.Spans {
		if len(t.own) >= p.config.TraceSpans {
			if _, known := t.seen[p.hash(hashOwn, b)]; !known {
				p.counts.Cut++
			}
			continue
		}
		if !p.store(t, &t.own, p.hash(hashOwn, b), b) {
			continue
		}
		news = true
		t.fresh++
		if !t.counted {
			t.counted = true
			p.counts.Seen++
			p.counts.Open++
		}
		if t.judged != open {
			p.counts.Late++
		}
	}
	return news
}

func (p *Partition) handleAsk(t *trace, r record.Record) (news bool) {
	for _, b := range r.Spans {
		var list []stored
		if !p.store(t, &list, p.hash(hashAsk, r.Of[:], b), b) {
			continue
		}
		if len(t.asks[r.Of]) == 0 {
			p.grow(t, entries(len(t.asks)))
		}
		t.asks[r.Of] = append(t.asks[r.Of], ask{r.From, list[0]})
		news = true
	}
	return news
}

// handleGive keeps what the root reaches, and reports whether that changes what the trace knows of its own spans, too.
func (p *Partition) handleGive(t *trace, r record.Record) (news, work bool) {
	for _, b := range r.Spans {
		news = p.store(t, &t.given, p.hash(hashGiven, b), b) || news
	}
	for _, b := range r.Stubs {
		if p.store(t, &t.stubs, p.hash(hashStub, b), b) {
			news, work = true, work || !t.has(t.stubs[len(t.stubs)-1].ref())
		}
	}
	return news, work
}

func (p *Partition) handleTell(t *trace, r record.Record) (news bool) {
	if r.Judge {
		old, known := t.reaches[r.From]
		if !known {
			p.grow(t, entries(len(t.reaches)))
		}
		t.reaches[r.From] = old || r.Reach
		return !known || old != t.reaches[r.From]
	}
	ref := journey.Ref{Trace: r.From, Span: r.Of}
	a := t.answers[ref]
	if a == nil {
		a = &answer{roots: make(map[journey.TraceID]record.Root)}
		p.grow(t, entries(len(t.answers))+mapBytes+overhead)
		t.answers[ref] = a
		news = true
	}
	for _, list := range [...][][]byte{r.Spans, r.Stubs} {
		for _, b := range list {
			if p.store(t, &t.stubs, p.hash(hashStub, b), b) {
				news = true
			}
		}
	}
	for _, b := range r.Stubs {
		if s, err := record.DecodeSpan(b); err == nil && isSend(&s) && !slices.Contains(a.sends, s.Ref()) {
			a.sends, news = append(a.sends, s.Ref()), true
		}
	}
	a.known = a.known || len(r.Spans) > 0
	news = news || r.More && !a.more
	a.more = a.more || r.More
	for _, x := range r.Roots {
		old, known := a.roots[x.Trace]
		if known {
			x.Orphan, x.First = x.Orphan && old.Orphan, min(x.First, old.First)
		}
		if !known {
			p.grow(t, overhead)
		}
		if !known || x != old {
			a.roots[x.Trace] = x
			news = true
		}
	}
	return news
}
