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

// delivers reports a message edge from a producer.
func (o *oracle) delivers(e oracleEdge) bool {
	return e.class == journey.ClassMessage && !e.made && !o.consumer(e.pred)
}

// group is the consumer's group, or else its subscription.
func (o *oracle) group(i int) string {
	if group := o.attr(i, "messaging.consumer.group.name"); group != "" {
		return group
	}
	return o.attr(i, "messaging.destination.subscription.name")
}

// one reports whether two spans consume for one service and, where both name it, one group, or else one queue.
func (o *oracle) one(a, b int) bool {
	x, y := o.group(a), o.group(b)
	if x == "" || y == "" {
		x, y = o.topic(a), o.topic(b)
	}
	return o.service(a) == o.service(b) && (x == "" || y == "" || x == y)
}

func (o *oracle) applyReceiveRule() {
	own, messages := map[int]bool{}, map[int]int{}
	for c := range o.spans {
		for _, e := range o.in[c] {
			if o.delivers(e) {
				own[c] = true
				messages[c]++
			}
		}
	}
	handledBeside := func(r int) bool {
		for _, m := range o.in[r] {
			for h := range o.spans {
				if o.delivers(m) && o.op(h) != "receive" && o.one(h, r) &&
					slices.ContainsFunc(o.in[h], func(e oracleEdge) bool { return o.delivers(e) && e.pred == m.pred }) {
					return true
				}
			}
		}
		return false
	}
	for r := range o.spans {
		o.polls[r] = o.op(r) == "receive" && handledBeside(r)
	}
	for c, edges := range o.in {
		if own[c] {
			o.in[c] = slices.DeleteFunc(slices.Clone(edges), func(e oracleEdge) bool { return o.op(e.pred) == "receive" })
		}
	}
	effects := func(r int) bool {
		for _, edges := range o.in {
			if slices.ContainsFunc(edges, func(e oracleEdge) bool { return e.pred == r }) {
				return true
			}
		}
		return false
	}
	keeps := func(r int) bool { // its message edges count
		return messages[r] > 0 && (!o.polls[r] || messages[r] == 1 && effects(r))
	}
	for again := true; again; {
		again = false
		for r := range o.spans {
			if o.op(r) == "settle" {
				o.shared[r] = true
			}
			if o.op(r) == "receive" && !o.shared[r] && !effects(r) && !keeps(r) {
				o.shared[r], again = true, true
				delete(o.in, r)
			}
		}
	}
	for r := range o.spans {
		if o.op(r) == "receive" && !keeps(r) {
			o.took[r] = own[r]
			o.in[r] = slices.DeleteFunc(slices.Clone(o.in[r]), o.delivers)
		}
	}
}

// addRetry adds the edge from the handling of one of its messages before it, if that failed.
func (o *oracle) addRetry(c int) {
	if o.polls[c] || o.shared[c] {
		return
	}
	later := func(a, b int) bool { // a ended later than b, or has the lower id
		if o.spans[a].End != o.spans[b].End {
			return o.spans[a].End > o.spans[b].End
		}
		return o.lower(a, b)
	}
	best := -1
	for _, m := range o.in[c] {
		if !o.delivers(m) {
			continue
		}
		before := -1
		for h := range c {
			x, y := o.attr(h, "messaging.destination.name"), o.attr(c, "messaging.destination.name")
			named := o.group(h) != "" && o.group(c) != ""
			if o.polls[h] || o.shared[h] || o.spans[h].End > o.spans[c].Start || !o.one(h, c) || x != "" && y != "" && x != y || !named && o.spans[h].Name != o.spans[c].Name {
				continue
			}
			if slices.ContainsFunc(o.in[h], func(e oracleEdge) bool { return o.delivers(e) && e.pred == m.pred }) && (before < 0 || later(h, before)) {
				before = h
			}
		}
		if before >= 0 && o.failed(before) && (best < 0 || later(before, best)) {
			best = before
		}
	}
	if best < 0 {
		return
	}
	again := oracleEdge{pred: best, class: journey.ClassRetry, ready: o.spans[best].End}
	linked := slices.IndexFunc(o.in[c], func(e oracleEdge) bool { return e.pred == best })
	if parent, ok := o.parent[c]; linked < 0 {
		o.in[c] = append(o.in[c], again)
	} else if !ok || parent != best {
		o.in[c][linked] = again
	}
}

// findCaller takes the parent by a call, else the first target of a link by a call.
func (o *oracle) findCaller(i int) {
	for _, e := range o.in[i] {
		if p, ok := o.parent[i]; e.class == journey.ClassCall && ok && p == e.pred {
			o.caller[i] = e.pred
			return
		}
	}
	for _, e := range o.in[i] {
		if c, ok := o.caller[i]; e.class == journey.ClassCall && (!ok || e.pred < c) {
			o.caller[i] = e.pred
		}
	}
}

// callers are all spans above a span, by calls, the nearest first.
func (o *oracle) callers(i int) []int {
	var list []int
	for at, ok := o.caller[i]; ok && !slices.Contains(list, at); at, ok = o.caller[at] {
		list = append(list, at)
	}
	return list
}

func (o *oracle) findJoin(i int) {
	if _, ok := o.parent[i]; !ok {
		return
	}
	var parents []int
	for k, e := range o.in[i] {
		isParent := e.pred == o.parent[i] || slices.ContainsFunc(o.spans[i].Links, func(l journey.Link) bool { return childOf(l) && o.resolve(l.Ref) == e.pred })
		if isParent && e.class != journey.ClassMessage && e.class != journey.ClassRetry {
			if o.spans[e.pred].End > o.spans[i].Start {
				return
			}
			parents = append(parents, k)
		}
	}
	linked := slices.ContainsFunc(o.spans[i].Links, childOf)
	if len(parents) < 2 || !linked {
		return
	}
	for _, a := range o.callers(o.in[i][parents[len(parents)-1]].pred) {
		all := true
		for _, k := range parents {
			all = all && slices.Contains(o.callers(o.in[i][k].pred), a)
		}
		if !all {
			continue
		}
		if a == i || o.spans[a].Start > o.spans[i].Start || o.spans[i].End > o.spans[a].End+o.tol(a, i) {
			return
		}
		for _, k := range parents {
			e := &o.in[i][k]
			e.class, e.ready = journey.ClassContinuation, o.spans[e.pred].End
		}
		o.caller[i] = a
		return
	}
}

// reaches reports whether a led to b.
func (o *oracle) reaches(a, b int, been map[int]bool) bool {
	if a == b {
		return true
	}
	been[a] = true
	for c, edges := range o.in {
		if !been[c] && slices.ContainsFunc(edges, func(e oracleEdge) bool { return e.pred == a && e.class != journey.ClassRetry }) && o.reaches(c, b, been) {
			return true
		}
	}
	return false
}

func (o *oracle) findReply(p int) {
	const key = "messaging.message.conversation_id"
	id := o.attr(p, key)
	sends := (o.spans[p].Kind == journey.KindProducer || o.op(p) == "send") && o.op(p) != "create"
	if id == "" || !sends || o.consumer(p) || o.shared[p] {
		return
	}
	best := oracleReply{back: -1}
	for q := range o.spans {
		if !o.consumer(q) || o.shared[q] || o.attr(q, key) != id || o.service(q) != o.service(p) || o.spans[q].Start <= o.spans[p].Start {
			continue
		}
		if slices.ContainsFunc(o.in[q], func(e oracleEdge) bool { return e.pred == p && e.class == journey.ClassMessage }) || !o.reaches(p, q, map[int]bool{}) {
			continue
		}
		for _, s := range o.callers(p) {
			if o.service(s) != o.service(q) || o.spans[q].Start >= o.spans[s].End || o.spans[q].End > o.spans[s].End+o.tol(s, q) {
				continue
			}
			if best.back < 0 || o.spans[q].End > o.spans[best.back].End || o.spans[q].End == o.spans[best.back].End && o.lower(q, best.back) {
				best = oracleReply{s, p, q}
			}
			break
		}
	}
	if best.back >= 0 {
		o.replies = append(o.replies, best)
	}
}

// findUnit finds what a span that is not consumer-side, below a handling of several messages, does its part for.
func (o *oracle) findUnit(i int) {
	p, ok := o.parent[i]
	if !ok || o.shared[i] || o.consumer(i) || !o.consumer(p) {
		return
	}
	var origins []int
	for _, e := range o.in[p] {
		if o.delivers(e) {
			origins = append(origins, e.pred)
		}
	}
	for _, l := range o.spans[i].Links {
		if t := o.resolve(l.Ref); len(origins) > 1 && slices.Contains(origins, t) {
			o.units[i] = append(o.units[i], t)
		}
	}
}
