package journey

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"tracelab/journey/semconv"
)

// maxTime bounds the times of spans to the years 1970 to 2116, so that no difference of two overflows.
const maxTime = 1 << 62

// sortKey orders spans without a look at them; only spans with equal keys are compared by their content.
type sortKey struct {
	start int64
	id    uint64
	span  int32
}

// load makes the nodes, and again after each repair that the spans needed.
func (s *Set) load() {
	s.loadSpans()
	for _, repair := range []func(*Set) []Span{joinCutTraces, splitHalves, linksAsParents} {
		if repaired := repair(s); repaired != nil {
			*s = Set{spans: repaired, copies: s.copies, cut: s.cut, options: s.options}
			s.loadSpans()
		}
	}
	for _, r := range s.cut {
		if i, ok := s.Find(r); ok {
			s.note(ruleCutTrace, i, 0)
		}
	}
}

// loadSpans makes the nodes in the set's order, and drops exact duplicates.
func (s *Set) loadSpans() {
	s.resources.bySpan = make([]int32, 0, len(s.spans))
	loaded := make([]node, len(s.spans))
	keys := make([]sortKey, len(s.spans))
	s.topics.Of("")
	s.groups.Of("")
	for i := range s.spans {
		loaded[i] = s.read(i)
		s.seen |= loaded[i].flags
		s.ops[loaded[i].op] = true
		keys[i] = sortKey{loaded[i].start, loaded[i].id, int32(i)}
	}
	s.resources.markCoarse(s.spans, loaded, s.traces.Len())
	s.sortKeys(keys)
	arrange(loaded, keys)
	s.nodes = loaded[:0] // the nodes that stay move up over the duplicates
	s.index = newSpanIndex(len(keys))
	for k := 0; k < len(keys); {
		next := k + 1
		for next < len(keys) && s.same(keys[k], keys[next]) {
			next++
		}
		s.add(loaded[k])
		if more := next - k - 1 + s.dropped(keys[k:next]); more > 0 {
			s.note(ruleDuplicate, Index(len(s.nodes)-1), more)
		}
		k = next
	}
}

// sortKeys brings keys into the set's order.
func (s *Set) sortKeys(keys []sortKey) {
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		if a.id != b.id {
			return cmp.Compare(a.id, b.id)
		}
		x, y := &s.spans[a.span], &s.spans[b.span]
		return cmp.Or(x.Trace.Compare(y.Trace), compareSpans(x, y), strings.Compare(x.Source, y.Source))
	})
}

// arrange moves nodes, which stand in the order of their spans, to where the keys of these stand. It needs no second slice,
// which would be 64 bytes a span.
func arrange(nodes []node, keys []sortKey) {
	for i := range nodes {
		if nodes[i].span == keys[i].span {
			continue
		}
		first, at := nodes[i], int32(i) // the first of a cycle of moves
		for keys[at].span != int32(i) {
			nodes[at] = nodes[keys[at].span]
			at = keys[at].span
		}
		nodes[at] = first
	}
}

// dropped returns how many exact duplicates of these spans were dropped before a repair.
func (s *Set) dropped(keys []sortKey) int {
	n := 0
	if s.copies != nil {
		for _, k := range keys {
			n += int(s.copies[k.span])
		}
	}
	return n
}

func (s *Set) same(a, b sortKey) bool {
	if a.start != b.start || a.id != b.id {
		return false
	}
	x, y := &s.spans[a.span], &s.spans[b.span]
	if a.id == 0 {
		return x.Trace == y.Trace && compareSpans(x, y) == 0
	}
	return x.Trace == y.Trace && x.End == y.End && x.Kind == y.Kind && x.Name == y.Name
}

// read reads span i.
func (s *Set) read(i int) node {
	span := &s.spans[i]
	m, f := span.readAttributes()
	n := node{
		start:  min(max(span.Start, 0), maxTime),
		end:    min(max(span.End, 0), maxTime),
		id:     binary.BigEndian.Uint64(span.ID[:]),
		parent: none,
		caller: none,
		span:   int32(i),
		trace:  s.traces.Of(span.Trace),
		kind:   span.Kind,
		op:     m.Operation,
		flags:  f,
	}
	n.service = s.resources.of(span)
	if topic := m.Topic(); topic != "" {
		n.topic = s.topics.Of(topic)
	}
	if m.Group != "" {
		n.group = s.groups.Of(m.Group)
	}
	if n.op == semconv.OperationSettle {
		n.flags |= isShared
	}
	for l := range span.Links {
		if span.Links[l].isChildOf() {
			n.flags |= hasChildOf
		}
	}
	return n
}

// add appends a node and notes what is wrong with its id and its times.
func (s *Set) add(n node) {
	i := Index(len(s.nodes))
	span := &s.spans[n.span]
	if span.Start != n.start || span.End != n.end {
		s.note(ruleTimeRange, i, 0)
	}
	if n.end < n.start {
		n.end = n.start
		s.note(ruleEndBeforeStart, i, 0)
	}
	s.nodes = append(s.nodes, n)
	if n.id == 0 || span.Trace.IsZero() {
		s.note(ruleNoID, i, 0)
		return
	}
	if first, fresh := s.index.add(s.nodes, i); !fresh {
		s.nodes[i].flags |= isDuplicate
		if kinds := [2]Kind{s.nodes[first].kind, n.kind}; kinds == [2]Kind{KindClient, KindServer} || kinds == [2]Kind{KindServer, KindClient} {
			s.halves = append(s.halves, first)
		}
		s.note(ruleDuplicateID, i, 0)
	}
}

// resolveParents finds the parents, then cuts each cycle of them at its earliest span.
func (s *Set) resolveParents() {
	for i := range s.nodes {
		n := &s.nodes[i]
		span := &s.spans[n.span]
		if span.Parent.IsZero() {
			continue
		}
		n.parent = s.index.find(s.nodes, n.trace, binary.BigEndian.Uint64(span.Parent[:]))
		if n.parent == none {
			n.flags |= isOrphan
			s.note(ruleOrphan, Index(i), 0)
		}
	}
	s.cutCycles(func(i Index) *Index { return &s.nodes[i].parent }, func(i Index) {
		s.nodes[i].flags |= isCut
		s.note(ruleCycle, i, 0)
	})
}

// cutCycles follows up from every node. Where that leads in a circle, it sets up of the circle's earliest node to none, and
// calls cut with that node.
func (s *Set) cutCycles(up func(Index) *Index, cut func(Index)) {
	visit := make([]int32, len(s.nodes)) // number of the walk that came here, from 1
	for i := range s.nodes {
		at := Index(i)
		for at != none && visit[at] == 0 {
			visit[at] = int32(i) + 1
			at = *up(at)
		}
		if at == none || visit[at] != int32(i)+1 {
			continue
		}
		first := at
		for n := *up(at); n != at; n = *up(n) {
			first = min(first, n)
		}
		*up(first) = none
		cut(first)
	}
}

// compareSpans orders spans by everything but Source and Warnings: first by the fields that tell duplicates, so that these
// stand together.
func compareSpans(x, y *Span) int {
	return cmp.Or(
		bytes.Compare(x.Trace[:], y.Trace[:]), bytes.Compare(x.ID[:], y.ID[:]),
		cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End), cmp.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name),
		bytes.Compare(x.Parent[:], y.Parent[:]), cmp.Compare(x.Status, y.Status),
		strings.Compare(x.Service, y.Service), strings.Compare(x.Scope, y.Scope),
		strings.Compare(x.StatusMessage, y.StatusMessage), cmp.Compare(x.Flags, y.Flags),
		cmp.Compare(x.DroppedAttributes, y.DroppedAttributes), cmp.Compare(x.DroppedEvents, y.DroppedEvents),
		cmp.Compare(x.DroppedLinks, y.DroppedLinks),
		slices.CompareFunc(x.Attributes, y.Attributes, compareAttributes),
		slices.CompareFunc(x.Links, y.Links, compareLinks),
		compareResources(x.Resource, y.Resource))
}

func compareAttributes(a, b Attribute) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Value.kind, b.Value.kind),
		cmp.Compare(a.Value.num, b.Value.num), strings.Compare(a.Value.str, b.Value.str))
}

func compareLinks(a, b Link) int {
	return cmp.Or(bytes.Compare(a.Trace[:], b.Trace[:]), bytes.Compare(a.Span[:], b.Span[:]), cmp.Compare(a.Flags, b.Flags),
		cmp.Compare(a.DroppedAttributes, b.DroppedAttributes), slices.CompareFunc(a.Attributes, b.Attributes, compareAttributes))
}

func compareResources(x, y *Resource) int {
	if x == y {
		return 0
	}
	var zero Resource
	if x == nil {
		x = &zero
	}
	if y == nil {
		y = &zero
	}
	return cmp.Or(strings.Compare(x.HostID, y.HostID), strings.Compare(x.HostName, y.HostName),
		strings.Compare(x.InstanceID, y.InstanceID), slices.CompareFunc(x.Attributes, y.Attributes, compareAttributes))
}
