package actor

import (
	"cmp"
	"fmt"
	"slices"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// reduce returns the spans of a journey and stubs of their causes: all that a set needs to judge the journey. Spans that happened to be given
// too are left out, so the verdict does not depend on them.
func reduce(set *journey.Set, j *journey.Journey) []journey.Span {
	r := reducer{set: set, journey: j, handled: make(map[journey.Index]string)}
	for _, i := range j.Spans() {
		s := *set.Span(i)
		s.Source, s.Warnings = "", nil
		cutParent(set, i, &s)
		r.add(s)
		r.causes(i)
	}
	r.handlers()
	return r.spans
}

type reducer struct {
	collection
	set     *journey.Set
	journey *journey.Journey
	handled map[journey.Index]string // by producer outside of the journey of a received message: the service that received it
}

func (r *reducer) causes(i journey.Index) {
	if p, ok := r.set.Parent(i); ok {
		r.stub(p)
	}
	for _, l := range r.set.Span(i).Links {
		if t, ok := r.set.Find(l.Ref); ok {
			r.stub(t)
		}
	}
	for e := range r.set.Causes(i) {
		if e.Class != journey.ClassRetry {
			r.stub(e.From)
		}
	}
	if r.set.Operation(i) != semconv.OperationReceive {
		return
	}
	span := r.set.Span(i)
	for _, p := range producersOf(r.set, i) {
		if !r.journey.Contains(p) {
			r.handled[p] = span.Service
			r.stub(p)
		}
	}
}

// producersOf returns the parent of a span and the spans that it links to.
func producersOf(set *journey.Set, i journey.Index) []journey.Index {
	var list []journey.Index
	if p, ok := set.Parent(i); ok {
		list = append(list, p)
	}
	for _, l := range set.Span(i).Links {
		if t, ok := set.Find(l.Ref); ok && t != i {
			list = append(list, t)
		}
	}
	return list
}

func (r *reducer) stub(i journey.Index) {
	if !r.journey.Contains(i) {
		r.add(stubOf(r.set.Span(i)))
	}
}

// handlers adds the spans that handled a message which a receive span of the journey received, too.
func (r *reducer) handlers() {
	if len(r.handled) == 0 {
		return
	}
	for i := range journey.Index(r.set.Len()) {
		if r.set.Operation(i) == semconv.OperationReceive || r.journey.Contains(i) {
			continue
		}
		var refs []journey.Ref
		for _, p := range producersOf(r.set, i) {
			if service, ok := r.handled[p]; ok && service == r.set.Span(i).Service {
				refs = append(refs, r.set.Span(p).Ref())
			}
		}
		if len(refs) > 0 && handles(r.set, i) {
			r.add(handlerIn(r.set, i, r.set.Span(i), refs...))
		}
	}
}

// handles reports whether a message is among the causes of a span.
func handles(set *journey.Set, i journey.Index) bool {
	for e := range set.Causes(i) {
		if e.Class == journey.ClassMessage {
			return true
		}
	}
	return false
}

// isLost reports whether the only possible cause of a span is a parent that is missing.
func isLost(set *journey.Set, i journey.Index) bool {
	s := set.Span(i)
	if s.Parent.IsZero() || len(s.Links) > 0 || isStub(s) {
		return false
	}
	_, found := set.Find(journey.Ref{Trace: s.Trace, Span: s.Parent})
	return !found
}

// Judge judges the journey of the root of a trace in a set that may have more than its spans: again, with those and stubs of what else led to
// them alone. It returns false when the trace roots no journey. A journey is incomplete, too, when the parent of a span of its
// traces is lost, and with that what led there.
func Judge(spans []journey.Span, root journey.TraceID) (*journey.Journey, bool) {
	kept, lost := withoutLost(spans, root)
	j, ok := only(journey.NewSet(kept, journey.Aside(isStub), journey.Only(root)))
	if !ok {
		return nil, false
	}
	set := j.Set()
	if len(kept) == len(j.Spans()) && len(set.Warnings()) == 0 {
		return j, true // there is nothing to leave out
	}
	for i := range journey.Index(set.Len()) {
		if isLost(set, i) && !j.Contains(i) {
			lost = append(lost, *set.Span(i))
		}
	}
	why := whyLost(lost, j.Traces())
	missing := journey.Missing(func(*journey.Journey) string { return why })
	return only(journey.NewSet(reduce(set, j), journey.Aside(isStub), journey.Only(root), missing))
}

// withoutLost makes stubs of the first spans of lost pieces of other traces, and returns these: what of their traces is not here
// would keep them from being roots.
func withoutLost(spans []journey.Span, own journey.TraceID) (kept, lost []journey.Span) {
	client := make(map[journey.Ref]bool, len(spans)) // by id: whether a span with it is a client; its server may have the same id, and is its child
	for i := range spans {
		client[spans[i].Ref()] = client[spans[i].Ref()] || spans[i].Kind == journey.KindClient
	}
	kept = spans
	for i := range spans {
		s := &spans[i]
		_, found := client[journey.Ref{Trace: s.Trace, Span: s.Parent}]
		found = found || s.Kind == journey.KindServer && client[s.Ref()]
		if s.Trace != own && !s.Parent.IsZero() && len(s.Links) == 0 && !isStub(s) && !found {
			if len(lost) == 0 {
				kept = slices.Clone(spans)
			}
			lost, kept[i] = append(lost, *s), stubOf(s)
		}
	}
	return kept, lost
}

// whyLost says which span's parent is lost in one of the traces, the first of several, or returns "".
func whyLost(lost []journey.Span, traces []journey.TraceID) string {
	slices.SortFunc(lost, func(a, b journey.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), compareRefs(a.Ref(), b.Ref()), cmp.Compare(a.Name, b.Name), compareCopies(&a, &b))
	})
	for i := range lost {
		if slices.Contains(traces, lost[i].Trace) {
			return fmt.Sprintf("the parent of %s of %s is missing (P01)", lost[i].Name, lost[i].ServiceName())
		}
	}
	return ""
}

// only returns the one journey of a set with a root.
func only(set *journey.Set) (*journey.Journey, bool) {
	for _, j := range set.Journeys() {
		if _, ok := j.Root(); ok {
			return j, true
		}
	}
	return nil, false
}
