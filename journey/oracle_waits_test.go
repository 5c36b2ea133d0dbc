package journey_test

import (
	"slices"

	"tracelab/journey"
)

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
