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
	t.handled, t.looked = t.handled+1, 0
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
			if t.seen.find(p.hash(hashOwn, b)) < 0 {
				p.counts.Cut++
			}
			continue
		}
		s, added := p.store(t, &t.own, p.hash(hashOwn, b), b)
		if !added {
			continue
		}
		t.links = t.links || len(s.Links) > 0
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
		s, added := p.store(t, &list, p.hash(hashAsk, r.Of[:], b), b)
		if !added {
			continue
		}
		t.sends = t.sends || isSend(s)
		asks, known := t.asks.get(r.Of)
		if !known {
			p.grow(t, rowBytes)
		}
		t.asks.put(r.Of, append(asks, ask{r.From, list[0]}))
		news = true
	}
	return news
}

// handleGive keeps what the root reaches, and reports whether that changes what the trace knows of its own spans, too.
func (p *Partition) handleGive(t *trace, r record.Record) (news, work bool) {
	list := &t.given
	if t.judged != open {
		list = nil
	}
	for _, b := range r.Spans {
		_, added := p.store(t, list, p.hash(hashGiven, b), b)
		news = added || news
	}
	for _, b := range r.Stubs {
		if s, added := p.store(t, &t.stubs, p.hash(hashStub, b), b); added {
			news, work = true, work || t.links || t.ties(s)
		}
	}
	return p.takeBack(t, r) || news, work
}

func (p *Partition) handleTell(t *trace, r record.Record) (news bool) {
	if r.Judge {
		old, known := t.reaches.get(r.From)
		if !known {
			p.grow(t, rowBytes)
		}
		t.reaches.put(r.From, old || r.Reach)
		return !known || r.Reach && !old
	}
	ref := journey.Ref{Trace: r.From, Span: r.Of}
	a, known := t.answers.get(ref)
	if !known {
		a, news = new(answer), true
		p.grow(t, answerBytes)
		t.answers.put(ref, a)
	}
	for _, list := range [...][][]byte{r.Spans, r.Stubs} {
		for _, b := range list {
			_, added := p.store(t, &t.stubs, p.hash(hashStub, b), b)
			news = added || news
		}
	}
	for _, b := range r.Stubs {
		if s, err := record.DecodeSpan(b); err == nil && isSend(&s) && !slices.Contains(a.sends, s.Ref()) {
			a.sends, t.sends, news = append(a.sends, s.Ref()), true, true
		}
	}
	a.known = a.known || len(r.Spans) > 0
	return p.answer(t, a, r) || news
}

// answer keeps which roots reach a span of another trace, as the highest version of its answer says.
func (p *Partition) answer(t *trace, a *answer, r record.Record) (news bool) {
	roots, more := r.Roots, r.More
	switch {
	case r.Version < a.version:
		return false
	case r.Version == a.version: // of two lives of its actor
		roots, more = union(a.roots, roots), more || a.more
	}
	news = more != a.more || !slices.Equal(roots, a.roots)
	if a.version, a.more = r.Version, more; news {
		p.grow(t, rootBytes*int64(len(roots)-len(a.roots)))
		a.roots = slices.Clone(roots)
	}
	return news
}

// union returns the roots of two sorted lists.
func union(a, b []record.Root) []record.Root {
	list := slices.Concat(a, b)
	slices.SortFunc(list, func(x, y record.Root) int { return x.Trace.Compare(y.Trace) })
	kept := list[:0]
	for _, x := range list {
		if last := len(kept) - 1; last >= 0 && kept[last].Trace == x.Trace {
			kept[last] = better(kept[last], x)
		} else {
			kept = append(kept, x)
		}
	}
	return kept
}

// better returns what is known of a root by two answers: it may have found its parent since one of them, or begin earlier.
func better(x, y record.Root) record.Root {
	x.Orphan, x.First = x.Orphan && y.Orphan, min(x.First, y.First)
	return x
}
