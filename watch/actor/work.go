package actor

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"tracelab/journey"
	"tracelab/watch/record"
)

// large is the number of spans above which a trace is not worked on for every new span.
const large = 512

// workAll works on all traces for which something new came.
func (p *Partition) workAll() {
	list := p.dirty
	p.dirty = nil
	for _, t := range list {
		if p.traces[t.id] != t {
			continue
		}
		if len(t.own) > large && t.fresh > 0 && t.fresh < len(t.own)/8 && p.now-t.worked < p.config.Quiet/8 {
			p.dirty = append(p.dirty, t)
			continue
		}
		p.work(t)
	}
}

// work lets a trace ask, tell and give what is new. A trace that nobody asked, and that got no answer, has nobody to tell or to give to. One
// that may still get answers waits for them: each would change what it tells and gives.
func (p *Partition) work(t *trace) {
	spans := p.begin(t)
	if t.asks.len()+t.answers.len() > 0 && !p.hopes(t) {
		p.finish(t, spans)
		return
	}
	p.wake(t, p.next(t))
}

// study lets a trace ask, tell and give what is new, and returns its view.
func (p *Partition) study(t *trace) *local { return p.finish(t, p.begin(t)) }

// begin lets a trace ask, and returns its spans if that took a look at them.
func (p *Partition) begin(t *trace) (spans []journey.Span) {
	asks := t.fresh > 0 && (t.links || t.asks.len() > 0) || t.sends
	t.dirty, t.sends, t.fresh, t.worked = false, false, 0, p.now
	if asks {
		spans = t.spans()
		p.ask(t, spans)
	}
	return spans
}

// finish lets a trace tell and give what is new, and returns its view.
func (p *Partition) finish(t *trace, spans []journey.Span) *local {
	if spans == nil {
		spans = t.spans()
	}
	l := p.see(t, spans, journey.EdgesOnly())
	t.looked++
	t.studied, t.rooted, t.reached = true, l.root >= 0, l.labeled()
	p.tell(l)
	p.give(l)
	p.wake(t, p.next(t))
	return l
}

// spans reads the own spans. The number of each stands in its Source.
func (t *trace) spans() []journey.Span {
	list := make([]journey.Span, len(t.own))
	for k := range t.own {
		list[k] = t.own[k].span()
		list[k].Source = strconv.Itoa(k)
	}
	return list
}

// numberOf returns the number of an own span that spans has read.
func numberOf(s *journey.Span) int {
	k, _ := strconv.Atoi(s.Source)
	return k
}

// ask asks for the spans that the trace's spans link to, and for the send spans of the messages that those created.
func (p *Partition) ask(t *trace, spans []journey.Span) {
	for k := range spans {
		s := spans[k]
		if hasFurther(&s) {
			s.Parent = firstParent(spans, &s)
		}
		for _, link := range s.Links {
			p.askFor(t, &s, link.Ref, link.Ref)
			if a, told := t.answers.get(link.Ref); told {
				for _, send := range a.sends {
					p.askFor(t, &s, send, link.Ref)
				}
			}
			p.askForSends(t, &s, link.Ref)
		}
		p.askForSends(t, &s, journey.Ref{Trace: t.id, Span: s.Parent})
	}
}

// firstParent returns the parent of a span that links to further ones: none when it is not among its trace's spans, and the span itself when the judge
// ignores it because parents form a cycle. In both cases no link is to a further parent.
func firstParent(spans []journey.Span, s *journey.Span) journey.SpanID {
	at, first := s, s
	for range spans {
		k := slices.IndexFunc(spans, func(x journey.Span) bool { return x.ID == at.Parent })
		switch {
		case k < 0 && at == s:
			return journey.SpanID{}
		case k < 0:
			return s.Parent
		case spans[k].ID == s.ID && first == s:
			return s.ID
		case spans[k].ID == s.ID:
			return s.Parent
		}
		if at = &spans[k]; cmp.Or(cmp.Compare(at.Start, first.Start), compareIDs(at.ID, first.ID)) < 0 {
			first = at
		}
	}
	return s.Parent // above it, others form a cycle
}

// askForSends asks on behalf of span s for the send spans, in other traces, of a message that a span of this trace created.
func (p *Partition) askForSends(t *trace, s *journey.Span, made journey.Ref) {
	if made.Trace != t.id {
		return
	}
	asks, _ := t.asks.get(made.Span)
	for _, a := range asks {
		if who := a.who.span(); isSend(&who) {
			p.askFor(t, s, who.Ref(), made)
		}
	}
}

// askFor asks on behalf of span s for the span of: either s links to it, or it sent the message of the linked span.
func (p *Partition) askFor(t *trace, s *journey.Span, of, link journey.Ref) {
	key := asking{of, 3 * int32(numberOf(s))}
	switch {
	case s.Parent == s.ID:
		key.by += 2
	case hasFurther(s):
		key.by++
	}
	if of.Trace == t.id || of.Span.IsZero() || t.asked.find(key) >= 0 {
		return
	}
	p.grow(t, rowBytes)
	t.asked.put(key, p.now)
	who := handlerOf(s, link)
	if s.Parent == s.ID {
		who.Parent = s.ID
	}
	p.send = append(p.send, record.Record{Kind: record.Ask, To: of.Trace, From: t.id, Of: of.Span, Spans: [][]byte{record.AppendSpan(nil, &who)}})
}

// tell answers all questions whose answers have changed.
func (p *Partition) tell(l *local) {
	t := l.trace
	for of, list := range t.asks.all() {
		i, ok := l.set.Find(journey.Ref{Trace: t.id, Span: of})
		if !ok || l.number[i] < 0 {
			continue
		}
		told := make(map[journey.TraceID]bool)
		for _, a := range list {
			if !told[a.from] {
				told[a.from] = true
				p.tellOne(l, i, of, a.from, list)
			}
		}
	}
}

// tellOne answers the questions of trace to about own span of, if the answer has changed.
func (p *Partition) tellOne(l *local, i journey.Index, of journey.SpanID, to journey.TraceID, asks []ask) {
	r := record.Record{Kind: record.Tell, To: to, From: l.trace.id, Of: of}
	var roots []record.Root
	for _, i := range l.sharing(i) {
		r.More = r.More || l.many[i]
		for _, id := range l.labels[i] {
			roots = append(roots, l.infos.of(id))
		}
	}
	r.Roots = union(nil, roots)
	for k := range l.spans {
		if l.spans[k].ID == of {
			r.Spans = append(r.Spans, encodedStub(stubOf(&l.spans[k])))
		}
	}
	receiver := "" // the service of a receive span that asks
	receives := false
	for _, a := range asks {
		if s := a.who.span(); a.from == to && isReceive(&s) {
			receiver, receives = s.Service, true
		}
	}
	ref := journey.Ref{Trace: l.trace.id, Span: of}
	for _, x := range l.tied.of(ref) {
		if x.Trace == to || !isSend(x) && (!receives || x.Service != receiver || isReceive(x)) {
			continue
		}
		if stub, ok := l.effect(ref, x); ok {
			r.Stubs = append(r.Stubs, encodedStub(stub))
		}
	}
	sortBytes(&r.Spans)
	sortBytes(&r.Stubs)
	h := p.hash(hashTell, r.Append(nil))
	key := telling{of, to}
	if old, again := l.trace.sent.get(key); !again || old != h {
		if l.trace.sent.put(key, h) {
			p.grow(l.trace, rowBytes)
		}
		r.Version = l.trace.version()
		p.send = append(p.send, r)
	}
}

func encodedStub(s journey.Span) []byte { return record.AppendSpan(nil, &s) }

// sortBytes sorts a list and removes duplicates, so that equal facts give equal bytes.
func sortBytes(list *[][]byte) {
	slices.SortFunc(*list, bytes.Compare)
	*list = slices.CompactFunc(*list, bytes.Equal)
}
