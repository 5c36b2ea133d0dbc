package journey

import (
	"encoding/binary"
	"slices"
)

// This file repairs what exporters and formats do to ids and parents. Each repair returns the spans as they should have been,
// exact duplicates left out, or nil when there is nothing to repair: most sets are read once.

// kept returns copies of the spans that are nodes, in the set's order, and counts the duplicates that are left out.
func (s *Set) kept() []Span {
	spans, copies := make([]Span, len(s.nodes)), make([]int32, len(s.nodes))
	for i := range s.nodes {
		spans[i] = s.spans[s.nodes[i].span]
	}
	for _, f := range s.findings {
		if f.rule == ruleDuplicate {
			copies[f.span] = f.other
		}
	}
	s.copies = copies
	return spans
}

// joinCutTraces joins traces that are two because a service passed on only the lower half of their id: the half belongs to
// exactly one other trace, and a parent that is missing in one is in the other.
func joinCutTraces(s *Set) []Span {
	whole := s.cutTraces()
	if whole == nil {
		return nil
	}
	ids := s.traces.Keys()
	joined := make(map[int32]bool)
	for i := range s.nodes {
		n := &s.nodes[i]
		parent := s.spans[n.span].Parent
		if parent.IsZero() {
			continue
		}
		id := binary.BigEndian.Uint64(parent[:])
		if other, ok := whole[n.trace]; ok && s.index.find(s.nodes, n.trace, id) == none && s.index.find(s.nodes, other, id) != none {
			joined[n.trace], joined[other] = true, true
		}
	}
	if len(joined) == 0 {
		return nil
	}
	spans := s.kept()
	target := func(t TraceID) (TraceID, bool) {
		number, ok := s.traces.Lookup(t)
		if !ok || !joined[number] || !isCut64(t) {
			return t, false
		}
		return ids[whole[number]], true
	}
	first := make(map[TraceID]bool)
	for i := range spans {
		sp := &spans[i]
		if t, ok := target(sp.Trace); ok {
			if !first[t] {
				first[t] = true
				s.cut = append(s.cut, Ref{t, sp.ID})
			}
			sp.Trace = t
		}
		for l := range sp.Links {
			if t, ok := target(sp.Links[l].Trace); ok {
				sp.Links = slices.Clone(sp.Links)
				sp.Links[l].Trace = t
			}
		}
	}
	return spans
}

// isCut64 reports whether a trace id has nothing in its upper half.
func isCut64(t TraceID) bool { return binary.BigEndian.Uint64(t[:8]) == 0 }

// cutTraces pairs, by their numbers and both ways, each trace that has a cut id with the trace that it may be a part of. It
// returns nil when there is none.
func (s *Set) cutTraces() map[int32]int32 {
	cut, others := 0, map[uint64]int32{}
	for t := range s.traces.All() {
		if isCut64(t) {
			cut++
		}
	}
	if cut == 0 || cut == s.traces.Len() {
		return nil
	}
	for t, n := range s.traces.All() {
		if low := binary.BigEndian.Uint64(t[8:]); !isCut64(t) {
			if _, twice := others[low]; twice {
				n = -1
			}
			others[low] = n
		}
	}
	var pairs map[int32]int32
	for t, n := range s.traces.All() {
		other, ok := others[binary.BigEndian.Uint64(t[8:])]
		if !isCut64(t) || !ok || other < 0 {
			continue
		}
		if pairs == nil {
			pairs = make(map[int32]int32)
		}
		pairs[n], pairs[other] = other, n
	}
	return pairs
}

// sharedID is a call whose halves have one id.
type sharedID struct {
	client  Index
	servers []Index // usually one
	ids     []SpanID
}

// splitHalves gives the server's half of a call that shares the client's id an id of its own, and the client as its parent.
// Spans that name the shared id as their parent become children of the half in their own service, else of the server's.
func splitHalves(s *Set) []Span {
	if len(s.halves) == 0 {
		return nil
	}
	calls := make(map[Ref]*sharedID)
	for _, first := range s.halves {
		calls[s.Span(first).Ref()] = &sharedID{client: none}
	}
	spans := s.kept()
	for i := range spans {
		call := calls[spans[i].Ref()]
		switch {
		case call == nil:
		case spans[i].Kind == KindServer:
			call.servers = append(call.servers, Index(i))
		case spans[i].Kind == KindClient && call.client == none:
			call.client = Index(i)
		}
	}
	taken := make(map[Ref]bool)
	for _, first := range s.halves { // in the set's order, so that ids do not depend on chance
		ref := s.Span(first).Ref()
		call := calls[ref]
		for len(call.ids) < len(call.servers) {
			call.ids = append(call.ids, s.freeID(ref, taken))
		}
	}
	for i := range spans {
		ref := spans[i].Ref()
		if call := calls[ref]; call != nil {
			if k := slices.Index(call.servers, Index(i)); k >= 0 {
				spans[i].ID, spans[i].Parent = call.ids[k], ref.Span
				continue
			}
		}
		if call := calls[Ref{ref.Trace, spans[i].Parent}]; call != nil && Index(i) != call.client {
			if k := s.halfOf(call, Index(i)); k >= 0 {
				spans[i].Parent = call.ids[k]
			}
		}
	}
	return spans
}

// halfOf returns which of the servers is the parent of a span that names the shared id, or -1 for the client.
func (s *Set) halfOf(call *sharedID, i Index) int {
	own := s.nodes[i].service
	k := slices.IndexFunc(call.servers, func(server Index) bool { return s.nodes[server].service == own })
	if k < 0 && own != s.nodes[call.client].service {
		return 0
	}
	return k
}

// freeID derives an id from another one that no span of its trace has.
func (s *Set) freeID(r Ref, taken map[Ref]bool) SpanID {
	trace, _ := s.traces.Lookup(r.Trace)
	for id := binary.BigEndian.Uint64(r.Span[:]) ^ 0x5e7e_7a1f_0000_0001; ; id++ {
		free := Ref{Trace: r.Trace}
		binary.BigEndian.PutUint64(free.Span[:], id)
		if id != 0 && !taken[free] && s.index.find(s.nodes, trace, id) == none {
			taken[free] = true
			return free.Span
		}
	}
}

// linksAsParents makes parents of links with opentracing.ref_type child_of, in traces without any parent.
func linksAsParents(s *Set) []Span {
	if s.seen&hasChildOf == 0 {
		return nil
	}
	flat := make(map[int32]bool) // traces with such links and without parents
	for i := range s.nodes {
		if s.nodes[i].is(hasChildOf) {
			flat[s.nodes[i].trace] = true
		}
	}
	for i := range s.nodes {
		if !s.spans[s.nodes[i].span].Parent.IsZero() {
			delete(flat, s.nodes[i].trace)
		}
	}
	var spans []Span
	for i := range s.nodes {
		n := &s.nodes[i]
		if !n.is(hasChildOf) || !flat[n.trace] {
			continue
		}
		sp := &s.spans[n.span]
		l := slices.IndexFunc(sp.Links, func(l Link) bool {
			t := none
			if l.isChildOf() && l.Trace == sp.Trace {
				t = s.linkTarget(n, l.Ref)
			}
			return t != none && t != Index(i)
		})
		if l < 0 {
			continue
		}
		if spans == nil {
			spans = s.kept()
		}
		spans[i].Parent = sp.Links[l].Span
		spans[i].Links = slices.Delete(slices.Clone(sp.Links), l, l+1)
	}
	return spans
}

// isChildOf reports a link that was a reference CHILD_OF in OpenTracing.
func (l *Link) isChildOf() bool {
	for _, a := range l.Attributes {
		if a.Key == "opentracing.ref_type" {
			return a.Value.str == "child_of"
		}
	}
	return false
}
