package journey

import (
	"cmp"
	"slices"
	"strings"

	"tracelab/journey/internal/intern"
)

// resources numbers the services and resources of a set, and finds the resolution of their clocks.
type resources struct {
	services intern.Table[string]
	seen     intern.Table[resourceKey] // by pointer, so that most spans need no look at the content
	known    []int32                   // by number in seen: the number in list
	contents intern.Table[string]
	list     []resource
	bySpan   []int32 // by number of the span as it was read: its resource
}

type resourceKey struct {
	service string
	of      *Resource
}

// resource is what makes two spans have one clock. The host is named by id or by name.
type resource struct {
	service                    int32
	instance, hostID, hostName string
}

const millisecond = 1_000_000

// What a clock was seen to show: a start, or an end, that is not a whole millisecond.
const (
	fineStart uint8 = 1 << iota
	fineEnd
)

// steps returns what a span shows of its clock.
func (s *Span) steps() (fine uint8) {
	if s.Start%millisecond != 0 {
		fine |= fineStart
	}
	if s.End%millisecond != 0 {
		fine |= fineEnd
	}
	return fine
}

// of returns the number of a span's service, and records its resource.
func (r *resources) of(span *Span) (service int32) {
	n := r.seen.Of(resourceKey{span.Service, span.Resource})
	if int(n) == len(r.known) {
		r.known = append(r.known, r.add(span))
	}
	number := r.known[n]
	r.bySpan = append(r.bySpan, number)
	return r.list[number].service
}

// add returns the number of the span's resource.
func (r *resources) add(span *Span) int32 {
	name := serviceKey(span)
	x := resource{service: r.services.Of(name)}
	if span.Resource != nil {
		x.instance, x.hostID, x.hostName = span.Resource.InstanceID, span.Resource.HostID, span.Resource.HostName
	}
	n := r.contents.Of(strings.Join([]string{name, x.instance, x.hostID, x.hostName}, "\x00"))
	if int(n) == len(r.list) {
		r.list = append(r.list, x)
	}
	return n
}

// markCoarse marks the spans whose clocks step by milliseconds: in their trace, all starts or all ends of their resource are
// whole ones. Nodes stand in the order of the spans. Only traces with a whole millisecond in them are looked at: there are
// few where clocks are fine.
func (r *resources) markCoarse(spans []Span, nodes []node, traces int) {
	var asked []bool // by trace
	for i := range spans {
		if spans[i].steps() != fineStart|fineEnd {
			if asked == nil {
				asked = make([]bool, traces)
			}
			asked[nodes[i].trace] = true
		}
	}
	if asked == nil {
		return
	}
	clock, clocks := r.clocks(nodes, traces)
	steps := make([]uint8, clocks) // by clock
	for i := range nodes {
		if asked[nodes[i].trace] {
			steps[clock(i)] |= spans[i].steps()
		}
	}
	for i := range nodes {
		if asked[nodes[i].trace] && steps[clock(i)] != fineStart|fineEnd {
			nodes[i].flags |= isCoarse
		}
	}
}

// clocks returns how the clocks of nodes are numbered, one for each trace and resource, and how many numbers there may be.
func (r *resources) clocks(nodes []node, traces int) (number func(i int) int, n int) {
	if n := traces * len(r.list); n <= 8*len(nodes) { // most sets: no need to hash
		return func(i int) int { return int(nodes[i].trace)*len(r.list) + int(r.bySpan[i]) }, n
	}
	var seen intern.Table[uint64]
	return func(i int) int { return int(seen.Of(uint64(nodes[i].trace)<<32 | uint64(r.bySpan[i]))) }, len(nodes)
}

// same reports whether two spans, by their numbers as they were read, are of one resource: of one service and, where both have
// them, of one instance and one host.
func (r *resources) same(a, b int32) bool {
	x, y := r.bySpan[a], r.bySpan[b]
	if x == y {
		return true
	}
	p, c := &r.list[x], &r.list[y]
	agree := func(a, b string) bool { return a == "" || b == "" || a == b }
	return p.service == c.service && agree(p.instance, c.instance) && agree(p.hostID, c.hostID) && agree(p.hostName, c.hostName)
}

// serviceKey is what tells a service from others: its name; without one all attributes of its resource.
func serviceKey(span *Span) string {
	if span.Service != "" && !strings.HasPrefix(span.Service, "unknown_service") {
		return span.Service
	}
	key := "\x00" + span.Service
	if span.Resource == nil {
		return key
	}
	list := slices.SortedFunc(slices.Values(span.Resource.Attributes), compareAttributes)
	for _, a := range list {
		key += "\x00" + a.Key + "=" + a.Value.String()
	}
	return key
}

// ServiceName returns the service's name for people: "(no service.name)" for a span that has none.
func (s *Span) ServiceName() string { return cmp.Or(s.Service, "(no service.name)") }

// tolerance returns by how much clocks, and the moment at which a span is ended, may be off between p and c: 1 % of p and at
// most 50 ms, but at least 1 µs within a resource, and 1 ms between resources or where the clock steps by milliseconds.
func (s *Set) tolerance(p, c Index) int64 {
	n := &s.nodes[p]
	least := int64(millisecond)
	if !n.is(isCoarse) && s.resources.same(n.span, s.nodes[c].span) {
		least = millisecond / 1000
	}
	return max(least, n.percent())
}

// tolerates reports whether a lateness, in nanoseconds, is within the tolerance.
func (s *Set) tolerates(p, c Index, late int64) bool {
	return late <= millisecond/1000 || late <= s.nodes[p].mostTolerance() && late <= s.tolerance(p, c)
}

// percent returns 1 % of the span's length, at most 50 ms.
func (n *node) percent() int64 { return min((n.end-n.start)/100, 50*millisecond) }

// mostTolerance returns the greatest tolerance between the span and any other.
func (n *node) mostTolerance() int64 { return max(millisecond, n.percent()) }
