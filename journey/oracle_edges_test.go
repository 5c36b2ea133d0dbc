package journey_test

import (
	"fmt"
	"slices"
	"strings"

	"tracelab/journey"
)

// oracle applies the rules once more, in the plainest way: recursion, maps, no thought of speed. It takes the spans in the
// set's order; everything else it finds out itself.
type oracle struct {
	spans   []journey.Span
	ends    []int64 // as they were read
	parent  map[int]int
	cut     map[int]bool
	in      map[int][]oracleEdge
	related map[[2]int]bool
	shared  map[int]bool
	polls   map[int]bool
	took    map[int]bool // receive spans whose messages do not count
	caller  map[int]int
	replies []oracleReply
	units   map[int][]int // by span that does the part of some messages of a batch: what sent these
	within  map[int]bool  // the spans of the journey whose paths are asked for
}

type oracleEdge struct {
	pred  int
	class journey.Class
	ready int64
	made  bool
}

type oracleReply struct{ waiter, sent, back int }

func newOracle(set *journey.Set) *oracle {
	o := &oracle{
		parent: map[int]int{}, cut: map[int]bool{}, in: map[int][]oracleEdge{}, related: map[[2]int]bool{},
		shared: map[int]bool{}, polls: map[int]bool{}, took: map[int]bool{}, caller: map[int]int{}, units: map[int][]int{},
	}
	for i := range journey.Index(set.Len()) {
		s := *set.Span(i)
		o.ends = append(o.ends, s.End)
		s.End = max(s.Start, s.End)
		o.spans = append(o.spans, s)
	}
	for i, s := range o.spans {
		if p := o.resolve(journey.Ref{Trace: s.Trace, Span: s.Parent}); p >= 0 {
			o.parent[i] = p
		}
	}
	o.cutCircles(o.parent)
	for i := range o.spans {
		o.addEdges(i)
	}
	o.applyReceiveRule()
	for i := range o.spans {
		o.addRetry(i)
	}
	for i := range o.spans {
		o.findUnit(i)
	}
	for i := range o.spans {
		o.findCaller(i)
	}
	for i := range o.spans {
		o.findJoin(i)
	}
	o.cutCircles(o.caller)
	for i := range o.spans {
		o.findReply(i)
	}
	return o
}

func (o *oracle) resolve(r journey.Ref) int {
	if r.Span.IsZero() {
		return -1
	}
	return slices.IndexFunc(o.spans, func(s journey.Span) bool { return s.Ref() == r })
}

// cutCircles cuts each circle at its first member.
func (o *oracle) cutCircles(up map[int]int) {
	for i := range o.spans {
		at, ok := i, true
		least := i
		for range len(o.spans) + 1 {
			if at, ok = up[at]; !ok || at == i {
				break
			}
			least = min(least, at)
		}
		if ok && at == i && least == i {
			delete(up, i)
			o.cut[i] = true
		}
	}
}

func (o *oracle) attr(i int, key string) string {
	v, _ := o.spans[i].Attr(key)
	return v.String()
}

func (o *oracle) op(i int) string { return o.attr(i, "messaging.operation.type") }

func (o *oracle) consumer(i int) bool {
	return o.spans[i].Kind == journey.KindConsumer || o.op(i) == "receive" || o.op(i) == "process" || o.attr(i, "faas.trigger") == "pubsub"
}

func (o *oracle) failed(i int) bool {
	return o.spans[i].Status == journey.StatusError || o.attr(i, "error.type") != ""
}

// service is the name, or for a span without one all that its resource says.
func (o *oracle) service(i int) string {
	s := o.spans[i]
	if s.Service != "" {
		return s.Service
	}
	if s.Resource == nil {
		return "?"
	}
	return fmt.Sprint("?", s.Resource.Attributes)
}

// where is the instance and the host that a span names.
func (o *oracle) where(i int) [3]string {
	if r := o.spans[i].Resource; r != nil {
		return [3]string{r.InstanceID, r.HostID, r.HostName}
	}
	return [3]string{}
}

// oneResource reports one service and, where both name them, one instance and one host.
func (o *oracle) oneResource(a, b int) bool {
	x, y := o.where(a), o.where(b)
	one := o.service(a) == o.service(b)
	for k := range x {
		one = one && (x[k] == y[k] || x[k] == "" || y[k] == "")
	}
	return one
}

// tol is 1 % up to 50 ms, at least 1 ms between resources; within one, the step of its clock in the trace.
func (o *oracle) tol(p, c int) int64 {
	floor := int64(1e6)
	if o.oneResource(p, c) {
		starts, ends := true, true
		for i, s := range o.spans {
			if s.Trace == o.spans[p].Trace && o.service(i) == o.service(p) && o.where(i) == o.where(p) {
				starts, ends = starts && s.Start%1e6 == 0, ends && o.rawEnd(i)%1e6 == 0
			}
		}
		if !starts && !ends {
			floor = 1e3
		}
	}
	return max(floor, min((o.spans[p].End-o.spans[p].Start)/100, 50e6))
}

// rawEnd is the end as it was read, before it was put right.
func (o *oracle) rawEnd(i int) int64 { return o.ends[i] }

func (o *oracle) classify(p, c int) oracleEdge {
	ps, cs := o.spans[p], o.spans[c]
	other := o.service(p) != o.service(c)
	over := cs.End > ps.End+o.tol(p, c)
	if ps.Kind == journey.KindProducer {
		called := cs.Kind == journey.KindServer && cs.Start >= ps.Start && !over
		if o.consumer(c) || other && !called {
			return oracleEdge{pred: p, class: journey.ClassMessage, ready: ps.End}
		}
	}
	if (ps.Kind == journey.KindServer || ps.Kind == journey.KindInternal) && !o.consumer(p) && cs.Kind == journey.KindConsumer && other {
		return oracleEdge{pred: p, class: journey.ClassMessage, ready: min(ps.End, cs.Start)}
	}
	if o.consumer(p) && o.consumer(c) && !other && cs.Start >= ps.End {
		return oracleEdge{pred: p, class: journey.ClassContinuation, ready: ps.End}
	}
	if cs.Start >= ps.End && cs.End > ps.End {
		if !other && (o.attr(c, "tracelab.carry_on") != "" || cs.Kind == journey.KindInternal && cs.Name == "carry on") {
			return oracleEdge{pred: p, class: journey.ClassMailbox, ready: ps.End}
		}
		return oracleEdge{pred: p, class: journey.ClassDetachedAfter, ready: ps.End}
	}
	if over {
		if ps.Kind == journey.KindClient && cs.Kind == journey.KindServer {
			if o.failed(p) {
				return oracleEdge{pred: p, class: journey.ClassAbandoned, ready: cs.Start}
			}
			return oracleEdge{pred: p, class: journey.ClassCall, ready: cs.Start}
		}
		return oracleEdge{pred: p, class: journey.ClassDetachedOverlap, ready: cs.Start}
	}
	return oracleEdge{pred: p, class: journey.ClassCall, ready: cs.Start}
}

// sender replaces a create span by the send span that links to it.
func (o *oracle) sender(create, consumer int) int {
	var before, after []int
	for i, s := range o.spans {
		if o.op(i) != "send" || !slices.ContainsFunc(s.Links, func(l journey.Link) bool { return o.resolve(l.Ref) == create && o.op(create) == "create" }) {
			continue
		}
		if s.End <= o.spans[consumer].Start {
			before = append(before, i)
		} else {
			after = append(after, i)
		}
	}
	by := func(a, b int) int { return int(o.spans[a].End - o.spans[b].End) }
	if len(before) > 0 {
		return slices.MaxFunc(before, by)
	}
	if len(after) > 0 {
		return slices.MinFunc(after, by)
	}
	return create
}

func (o *oracle) has(m map[int]int, i int) bool { _, ok := m[i]; return ok }

func childOf(l journey.Link) bool {
	return slices.ContainsFunc(l.Attributes, func(a journey.Attribute) bool {
		return a.Key == "opentracing.ref_type" && a.Value.String() == "child_of"
	})
}

func (o *oracle) addEdges(c int) {
	add := func(e oracleEdge) {
		if e.pred != c && !slices.ContainsFunc(o.in[c], func(x oracleEdge) bool { return x.pred == e.pred }) {
			o.in[c] = append(o.in[c], e)
		}
	}
	settled := o.op(c) == "settle"
	if p, ok := o.parent[c]; ok && !settled && o.op(p) != "settle" {
		if s := o.sender(p, c); o.consumer(c) && s != p {
			add(oracleEdge{pred: s, class: journey.ClassMessage, ready: o.spans[s].End})
		} else {
			add(o.classify(p, c))
		}
	}
	for _, l := range o.spans[c].Links {
		t := o.resolve(l.Ref)
		if t < 0 || t == c {
			continue
		}
		switch {
		case settled || o.op(t) == "settle":
		case childOf(l) && o.has(o.parent, c):
			add(o.classify(t, c))
			continue
		case o.op(c) == "send" && o.op(t) == "create":
			add(oracleEdge{pred: t, class: journey.ClassMessage, ready: o.spans[t].End, made: true})
			continue
		case !o.consumer(c):
		case o.op(t) == "receive":
			add(o.classify(t, c))
			continue
		case o.consumer(t):
			if o.spans[t].End <= o.spans[c].Start+o.tol(t, c) {
				add(oracleEdge{pred: t, class: journey.ClassMessage, ready: o.spans[t].End})
				continue
			}
		case o.spans[t].Kind == journey.KindProducer || slices.ContainsFunc(o.spans[t].Attributes, func(a journey.Attribute) bool { return strings.HasPrefix(a.Key, "messaging.") }):
			s := o.sender(t, c)
			add(oracleEdge{pred: s, class: journey.ClassMessage, ready: o.spans[s].End})
			continue
		}
		if !slices.ContainsFunc(o.in[c], func(x oracleEdge) bool { return x.pred == t }) {
			o.related[[2]int{c, t}] = true
		}
	}
}
