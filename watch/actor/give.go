package actor

import (
	"slices"

	"tracelab/journey"
	"tracelab/watch/record"
)

// give gives each root the spans that it reaches in this trace, with stubs of their causes. It adds the spans whose parents are lost: they
// make a journey incomplete.
func (p *Partition) give(l *local) {
	t := l.trace
	var lost []int
	crowded := 0
	for k, i := range l.index {
		if i < 0 {
			continue
		}
		if l.many[i] {
			crowded++
		}
		if isLost(l.set, i) {
			lost = append(lost, k)
		}
		for _, root := range l.labels[i] {
			if root != t.id {
				p.gift(t, root).spans.add(int32(k))
			}
		}
	}
	p.counts.Crowded += int64(max(crowded-t.crowded, 0))
	t.crowded = max(t.crowded, crowded)
	for root, g := range t.gave.all() {
		for _, k := range lost {
			g.spans.add(int32(k))
		}
		r := record.Record{Kind: record.Give, To: root, From: t.id, Back: l.takenBack(g, root, lost)}
		for number := range g.spans.all() {
			k := int(number)
			b := t.own[k].encoded()
			if x := l.spans[k]; l.index[k] >= 0 {
				if cutParent(l.set, l.index[k], &x); x.Parent != l.spans[k].Parent {
					b = record.AppendSpan(nil, &x)
				}
			}
			if g.isNew(p.hash(hashGiven, b)) {
				r.Spans = append(r.Spans, b)
			}
			for _, s := range l.stubsOf(k, root, g, r.Back) {
				if b := encodedStub(s); g.isNew(p.hash(hashStub, b)) {
					r.Stubs = append(r.Stubs, b)
				}
			}
		}
		if took := g.takeBack(&r); took || len(r.Spans)+len(r.Stubs) > 0 {
			r.Version = t.version()
			sortBytes(&r.Spans)
			sortBytes(&r.Stubs)
			p.grow(t, 36*int64(len(r.Spans)+len(r.Stubs)))
			p.send = append(p.send, r)
		}
	}
}

// takenBack returns which of the spans that were given to a root it does not reach, as is known now: since more roots reach them than may, or since a
// cause of theirs turned out to be none. Spans whose parents are lost stay as long as any does.
func (l *local) takenBack(g *gift, root journey.TraceID, lost []int) []journey.SpanID {
	var reached, taken []journey.SpanID
	for k := range g.spans.all() {
		if l.reaches(root, int(k)) {
			reached = append(reached, l.spans[k].ID)
		}
	}
	if len(reached) == g.spans.len() {
		return nil
	}
	for k := range g.spans.all() {
		id := l.spans[k].ID
		isLost := slices.ContainsFunc(lost, func(n int) bool { return l.spans[n].ID == id })
		if !slices.Contains(reached, id) && (len(reached) == 0 || !isLost) {
			taken = append(taken, id)
		}
	}
	slices.SortFunc(taken, compareIDs)
	return slices.Compact(taken)
}

// takeBack notes what a record takes back, and reports whether that is not what the last one did.
func (g *gift) takeBack(r *record.Record) bool {
	if g.back == nil && len(r.Back) == 0 {
		return false
	}
	back, old := r.Back, g.back
	g.back, r.More = &back, true
	return old == nil || !slices.Equal(back, *old)
}

// reaches reports whether a root reaches own span k.
func (l *local) reaches(root journey.TraceID, k int) bool {
	i := l.index[k]
	if i < 0 {
		return false
	}
	_, is := slices.BinarySearchFunc(l.labels[i], root, journey.TraceID.Compare)
	return is
}

// gift returns what was given to a root so far.
func (p *Partition) gift(t *trace, root journey.TraceID) *gift {
	g, known := t.gave.get(root)
	if !known {
		g = new(gift)
		p.grow(t, giftBytes)
		t.gave.put(root, g)
	}
	return g
}

// isNew reports whether a span or stub with this hash was not sent before, and notes it.
func (g *gift) isNew(h uint64) bool { return g.sent.add(h) }

// stubsOf returns stubs of the possible causes of own span k that are not given themselves: its parent, the spans it links to, and the send
// spans of the messages that these created. For a receive span it adds the other spans that handled its messages.
func (l *local) stubsOf(k int, root journey.TraceID, g *gift, back []journey.SpanID) []journey.Span {
	s := &l.spans[k]
	wanted := []journey.Ref{s.Ref()}
	if !s.Parent.IsZero() {
		wanted = append(wanted, journey.Ref{Trace: s.Trace, Span: s.Parent})
	}
	for _, link := range s.Links {
		wanted = append(wanted, link.Ref)
	}
	receive := isReceive(s)
	var list []journey.Span
	for _, ref := range wanted {
		for _, x := range l.named.of(ref) {
			if identityOf(x) != identityOf(s) && !l.gets(root, x, g, back) {
				list = append(list, stubOf(x))
			}
		}
		for _, x := range l.tied.of(ref) {
			if identityOf(x) == identityOf(s) || l.gets(root, x, g, back) || !isSend(x) && (!receive || ref == wanted[0] || isReceive(x)) {
				continue
			}
			if stub, ok := l.effect(ref, x); ok {
				list = append(list, stub)
			}
		}
	}
	return list
}

// gets reports whether a root needs no stub of a span: it is the root's own, or given to it, here or by its own trace since the root reaches it.
func (l *local) gets(root journey.TraceID, x *journey.Span, g *gift, back []journey.SpanID) bool {
	switch {
	case x.Trace == root:
		return true
	case x.Trace == l.trace.id && !isStub(x):
		return g.spans.find(int32(numberOf(x))) >= 0 && !slices.Contains(back, x.ID)
	}
	a, told := l.trace.answers.get(x.Ref())
	return told && slices.ContainsFunc(a.roots, func(r record.Root) bool { return r.Trace == root })
}

// register fills the tables named and tied.
func (l *local) register(spans []journey.Span) {
	l.named.room(len(spans))
	l.tied.room(len(spans))
	for n := range spans {
		x := &spans[n]
		named := l.named.at(x.Ref())
		*named = append(*named, x)
		if !x.Parent.IsZero() {
			tied := l.tied.at(journey.Ref{Trace: x.Trace, Span: x.Parent})
			*tied = append(*tied, x)
		}
		for _, link := range x.Links {
			if tied := l.tied.at(link.Ref); len(*tied) == 0 || (*tied)[len(*tied)-1] != x {
				*tied = append(*tied, x)
			}
		}
	}
}

// effect returns a stub of span x when it is an effect of the span ref. It returns one, too, when only the last span of a cycle of parents showed that x is
// none: that stub is its own parent, and so takes back those that were passed on before.
func (l *local) effect(ref journey.Ref, x *journey.Span) (stub journey.Span, ok bool) {
	i, found := l.find(x)
	above, isCut := journey.Ref{Trace: x.Trace, Span: x.Parent}, x.Parent == x.ID
	if found && !isStub(x) {
		cut := *x
		cutParent(l.set, i, &cut)
		isCut = cut.Parent == x.ID
	}
	switch {
	case !found && !isStub(x), !l.leads(ref, x) && (!isCut || ref != above):
		return journey.Span{}, false
	case isStub(x):
		stub = handlerOf(x, ref)
	default:
		stub = handlerIn(l.set, i, x, ref)
	}
	if isCut {
		stub.Parent = x.ID
	}
	return stub, true
}

// leads reports whether the span ref caused the span to, by a link or as its parent. It returns false for a receive span: whether that is a cause
// depends on all other causes of to, which only the root's actor knows.
func (l *local) leads(ref journey.Ref, to *journey.Span) bool {
	for _, x := range l.named.of(ref) {
		if isReceive(x) {
			return false
		}
	}
	if slices.ContainsFunc(to.Links, func(x journey.Link) bool { return x.Ref == ref }) {
		return true
	}
	i, found := l.find(to)
	p, has := l.set.Parent(i)
	return found && has && l.set.Span(p).Ref() == ref
}

// find returns where an own span or a stub is in the set. Of two own spans with one id that is the span itself.
func (l *local) find(x *journey.Span) (i journey.Index, found bool) {
	if isStub(x) {
		return l.set.Find(x.Ref())
	}
	i = l.index[numberOf(x)]
	return i, i >= 0
}
