package actor

import (
	"slices"

	"tracelab/journey"
	"tracelab/journey/semconv"
	"tracelab/watch/record"
)

// local is one trace's view: its own spans and stubs of the spans they link to, joined by the judge's own rules.
type local struct {
	trace  *trace
	set    *journey.Set
	spans  []journey.Span      // own, as they came
	index  []journey.Index     // by number of an own span: where it is in the set, or -1 for a duplicate
	number []int               // by index: the number of the own span, or -1
	root   journey.Index       // at which a journey of this trace would start, or -1
	orphan bool                // the root's parent is missing
	first  int64               // start of the earliest span
	labels [][]journey.TraceID // by index: the roots that reach the span, sorted
	many   []bool              // by index: more roots reach the span than limit, so labels has none
	infos  table[journey.TraceID, record.Root]
	named  table[journey.Ref, []*journey.Span] // all spans and stubs with these ids
	tied   table[journey.Ref, []*journey.Span] // all whose parent it is, or that link to it
	limit  int
}

// see builds the view of a trace. A span that was asked for and may still be answered counts as a message's sender.
func (p *Partition) see(t *trace, spans []journey.Span, options ...journey.Option) *local {
	l := &local{trace: t, root: -1, limit: p.config.Causes, spans: spans}
	var c collection
	c.room(len(spans) + len(t.stubs) + t.asks.len() + t.asked.len())
	for k := range spans {
		c.addOwn(spans[k])
	}
	for _, x := range t.stubs {
		c.add(x.stub())
	}
	var effects []journey.Span
	var receives set[journey.SpanID]
	for k := range l.spans {
		if isReceive(&l.spans[k]) {
			receives.add(l.spans[k].ID)
		}
	}
	for of, list := range t.asks.all() {
		for _, a := range list {
			if receives.find(of) < 0 {
				c.add(a.who.stub())
				continue
			}
			// Only the root's actor can tell whether the receive span is a cause of the span that asks.
			who := journey.Span{Trace: a.from, ID: a.who.span().ID, Kind: journey.KindConsumer, Name: aside, Source: aside}
			who.ID[0] ^= 0xff
			who.Links = []journey.Link{{Ref: journey.Ref{Trace: t.id, Span: of}}}
			effects = append(effects, who)
		}
	}
	l.register(c.spans)
	for _, x := range effects {
		c.add(x)
	}
	for key, at := range t.asked.all() {
		if !t.answered(key) && p.now-at < p.config.Quiet/4 {
			c.add(journey.Span{Trace: key.of.Trace, ID: key.of.Span, Kind: journey.KindProducer, Service: "?", Source: aside})
		}
	}
	l.set = journey.NewSet(c.spans, append(options, journey.Aside(isStub))...)
	l.index, l.number = make([]journey.Index, len(t.own)), make([]int, l.set.Len())
	for k := range l.index {
		l.index[k] = -1
	}
	for i := range journey.Index(l.set.Len()) {
		l.number[i] = -1
		if s := l.set.Span(i); !isStub(s) {
			l.number[i] = numberOf(s)
			l.index[l.number[i]] = i
		}
	}
	l.findRoot()
	l.spread()
	return l
}

// labeled reports whether a root reaches an own span.
func (l *local) labeled() bool {
	return slices.ContainsFunc(l.index, func(i journey.Index) bool { return i >= 0 && (len(l.labels[i]) > 0 || l.many[i]) })
}

// shared reports whether all own spans are shared.
func (l *local) shared() bool {
	return !slices.ContainsFunc(l.index, func(i journey.Index) bool { return i >= 0 && !l.set.Shared(i) })
}

// findRoot finds the span at which the trace's journey starts: the earliest without a parent, else the earliest whose parent is
// missing, and neither on the side of consumers.
func (l *local) findRoot() {
	orphan, any := journey.Index(-1), false
	for i := range journey.Index(l.set.Len()) {
		if l.number[i] < 0 || l.set.Operation(i) == semconv.OperationSettle {
			continue
		}
		if start, _ := l.set.Times(i); !any && l.set.Operation(i) != semconv.OperationReceive {
			l.first, any = start, true // a receive span counts only when all that it led to is known
		}
		if _, has := l.set.Parent(i); has || l.set.ConsumerSide(i) {
			continue
		}
		if l.set.Span(i).Parent.IsZero() {
			l.root = i
			return
		}
		if orphan < 0 {
			orphan = i
		}
	}
	l.root, l.orphan = orphan, orphan >= 0
}

// spread finds the roots that reach each span: it passes them from causes to effects, along the judge's edges.
func (l *local) spread() {
	n := l.set.Len()
	l.labels, l.many = make([][]journey.TraceID, n), make([]bool, n)
	var stack []journey.Index
	seed := func(i journey.Index, roots []journey.TraceID, many bool) {
		if l.pass(i, roots, many) {
			stack = append(stack, i)
		}
	}
	if l.root >= 0 {
		l.infos.put(l.trace.id, record.Root{Trace: l.trace.id, Orphan: l.orphan, First: l.first})
		seed(l.root, []journey.TraceID{l.trace.id}, false)
	}
	for ref, a := range l.trace.answers.all() {
		i, ok := l.set.Find(ref)
		if !ok || l.number[i] >= 0 {
			continue
		}
		roots := make([]journey.TraceID, 0, len(a.roots))
		for _, x := range a.roots {
			id := x.Trace
			if id == l.trace.id && l.root < 0 {
				continue // of the own root others know sooner, when a partition is read again
			}
			roots = append(roots, id)
			if old, known := l.infos.get(id); known {
				x = better(x, old)
			}
			if id != l.trace.id {
				l.infos.put(id, x)
			}
		}
		for _, i := range l.sharing(i) {
			seed(i, roots, a.more)
		}
	}
	effects := make([][]journey.Index, n)
	for i := range journey.Index(n) {
		if l.number[i] >= 0 {
			for _, cause := range l.causes(i) {
				effects[cause] = append(effects[cause], i)
			}
		}
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, effect := range effects[i] {
			seed(effect, l.labels[i], l.many[i])
		}
	}
}

// sharing returns the spans of the set that have the id of span i.
func (l *local) sharing(i journey.Index) []journey.Index {
	ref := l.set.Span(i).Ref()
	if len(l.named.of(ref)) < 2 {
		return []journey.Index{i}
	}
	var list []journey.Index
	for i := range journey.Index(l.set.Len()) {
		if l.set.Span(i).Ref() == ref {
			list = append(list, i)
		}
	}
	return list
}

// pass adds roots to those that reach span i, and reports whether there were new ones.
func (l *local) pass(i journey.Index, roots []journey.TraceID, many bool) bool {
	grown := many && !l.many[i]
	l.many[i] = l.many[i] || many
	for _, r := range roots {
		if l.many[i] {
			break
		}
		at, found := slices.BinarySearchFunc(l.labels[i], r, journey.TraceID.Compare)
		if found {
			continue
		}
		grown = true
		if len(l.labels[i]) == l.limit {
			l.many[i] = true
			break
		}
		l.labels[i] = slices.Insert(l.labels[i], at, r)
	}
	if l.many[i] {
		l.labels[i] = nil
	}
	return grown
}

// causes returns the spans whose journeys contain span i. A span that handles some messages of a batch belongs to the journeys of their
// senders only, not to those of the whole batch.
func (l *local) causes(i journey.Index) []journey.Index {
	parent, has := l.set.Parent(i)
	var unit []journey.Index
	if has && !l.set.ConsumerSide(i) && l.set.ConsumerSide(parent) && len(l.set.Span(i).Links) > 0 {
		unit = l.unit(i, parent)
	}
	list := unit
	for e := range l.set.Causes(i) {
		if e.Class != journey.ClassRetry && (unit == nil || e.From != parent) {
			list = append(list, e.From)
		}
	}
	return list
}

// unit returns the senders of the messages of a batch that span i handles. It returns nothing for a batch from one sender.
func (l *local) unit(i, batch journey.Index) []journey.Index {
	var origins, own []journey.Index
	for e := range l.set.Causes(batch) {
		if e.Class == journey.ClassMessage && !l.set.ConsumerSide(e.From) {
			origins = append(origins, e.From)
		}
	}
	if len(origins) < 2 {
		return nil
	}
	for _, link := range l.set.Span(i).Links {
		if t, ok := l.set.Find(link.Ref); ok && slices.Contains(origins, t) && !slices.Contains(own, t) {
			own = append(own, t)
		}
	}
	return own
}

func isSend(s *journey.Span) bool {
	m, ok := s.Messaging()
	return ok && m.Operation == semconv.OperationSend
}

func isReceive(s *journey.Span) bool {
	m, ok := s.Messaging()
	return ok && m.Operation == semconv.OperationReceive
}
