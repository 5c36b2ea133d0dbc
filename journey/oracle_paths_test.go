package journey_test

import (
	"maps"
	"slices"
	"time"

	"tracelab/journey"
)

// part is what takes a caller's time: a call, or a reply that it waits for.
type part struct {
	start, end int64
	call       int // the call, or the span that sent
	reply      *oracleReply
}

func (o *oracle) parts(s int) []part {
	var list []part
	for c, p := range o.caller {
		if p == s && (len(o.units[c]) == 0 || o.within[c]) {
			list = append(list, part{o.spans[c].Start, o.eff(c), c, nil})
		}
	}
	for k := range o.replies {
		if r := &o.replies[k]; r.waiter == s {
			list = append(list, part{o.spans[r.sent].Start, min(o.spans[r.back].End, o.eff(s)), r.sent, r})
		}
	}
	slices.SortFunc(list, func(a, b part) int {
		switch {
		case a.end != b.end:
			return int(b.end - a.end)
		case a.start != b.start:
			return int(b.start - a.start)
		case a.call != b.call:
			return a.call - b.call
		case a.reply != nil:
			return 1
		}
		return -1
	})
	return list
}

// explaining are the replies that are being explained: within one it is not chosen again.
type explaining map[*oracleReply]bool

func (o *oracle) scan(s int, lo, hi, base int64, busy explaining) []journey.Segment {
	var out []journey.Segment // from its end to its beginning
	t := hi
	for _, c := range o.parts(s) {
		last := c.call
		if c.reply != nil {
			last = c.reply.back
		}
		from, to := max(c.start, lo), min(c.end, t)
		if c.end > t+o.tol(s, last) || from >= to || busy[c.reply] {
			continue
		}
		out = append(out, work(s, to, t, base)...)
		if c.reply == nil {
			out = append(out, o.scan(c.call, from, to, base, busy)...)
		} else {
			busy[c.reply] = true
			closure := map[int]bool{}
			o.reach(c.reply.sent, closure, func(int) bool { return false })
			out = append(out, o.back(c.reply.back, c.reply.sent, closure, to, from, base, busy)...)
			delete(busy, c.reply)
		}
		t = from
	}
	return append(out, work(s, lo, t, base)...)
}

func work(s int, from, to, base int64) []journey.Segment {
	if from >= to {
		return nil
	}
	return []journey.Segment{{Start: time.Duration(from - base), End: time.Duration(to - base), Span: journey.Index(s), From: -1}}
}

func (o *oracle) start(j oracleJourney) int64 {
	if j.root >= 0 {
		return o.spans[j.root].Start
	}
	return o.spans[slices.Min(slices.Collect(maps.Keys(j.closure)))].Start
}

func (o *oracle) completion(j oracleJourney) []journey.Segment {
	start := o.start(j)
	t := int64(0)
	for i := range j.closure {
		t = max(t, o.eff(i))
	}
	cur := -1
	for i := range j.closure {
		c, called := o.caller[i]
		if o.eff(i) != t || called && j.closure[c] && o.eff(c) == t {
			continue
		}
		if cur < 0 || o.lower(i, cur) {
			cur = i
		}
	}
	return o.back(cur, j.root, j.closure, t, start, start, explaining{})
}

// back follows causes from a span at time t, back to root or to start.
func (o *oracle) back(cur, root int, closure map[int]bool, t, start, base int64, busy explaining) []journey.Segment {
	been := map[int]bool{}
	var out []journey.Segment
	for {
		been[cur] = true
		var e *oracleEdge
		others := int64(0)
		for _, x := range o.in[cur] {
			if !closure[x.pred] {
				if o.delivers(x) {
					others = max(others, x.ready)
				}
				continue
			}
			if been[x.pred] {
				continue
			}
			better := e == nil || x.ready > e.ready
			if e != nil && x.ready == e.ready {
				xm, em := x.class == journey.ClassMessage, e.class == journey.ClassMessage
				better = xm && !em || xm == em && o.lower(x.pred, e.pred)
			}
			if better {
				e = &x
			}
		}
		lo := min(o.spans[cur].Start, t)
		if e != nil && e.class == journey.ClassMessage && o.op(cur) == "receive" && o.spans[cur].Start < o.spans[e.pred].Start {
			arrived := o.spans[cur].End
			for c, edges := range o.in {
				led := slices.ContainsFunc(edges, func(x oracleEdge) bool { return x.pred == cur && x.class != journey.ClassRetry })
				if led && o.spans[c].Start >= o.spans[e.pred].Start {
					arrived = min(arrived, o.spans[c].Start)
				}
			}
			lo = max(lo, min(max(arrived, e.ready), t))
		}
		lo = max(lo, start)
		out = append(out, o.scan(cur, lo, t, base, busy)...)
		t = lo
		if cur == root || t == start {
			return out
		}
		if e == nil {
			return append(out, wait(journey.ClassUnexplained, cur, -1, start, t, base)...)
		}
		h := max(min(e.ready, t), start)
		g := h
		if others > 0 {
			g = min(max(others, h), t)
		}
		out = append(out, wait(e.class, cur, e.pred, g, t, base)...)
		out = append(out, wait(journey.ClassBatch, cur, e.pred, h, g, base)...)
		t, cur = h, e.pred
		if t == start {
			return out
		}
	}
}

// isLoop reports an INTERNAL root below which, by calls, messages of others were received or handled.
func (o *oracle) isLoop(root int, closure map[int]bool) bool {
	if o.spans[root].Kind != journey.KindInternal {
		return false
	}
	for i := range o.spans {
		if i != root && slices.Contains(o.callers(i), root) && closure[i] &&
			slices.ContainsFunc(o.in[i], func(e oracleEdge) bool { return o.delivers(e) && !closure[e.pred] }) {
			return true
		}
		p, ok := o.parent[i]
		if o.op(i) != "receive" || !o.took[i] || !ok || o.classify(p, i).class != journey.ClassCall || p != root && !slices.Contains(o.callers(p), root) {
			continue
		}
		for _, l := range o.spans[i].Links {
			if t := o.resolve(l.Ref); t >= 0 && t != i && !closure[t] {
				return true
			}
		}
	}
	return false
}

func wait(class journey.Class, cur, from int, start, end, base int64) []journey.Segment {
	if start >= end {
		return nil
	}
	return []journey.Segment{{Start: time.Duration(start - base), End: time.Duration(end - base), Span: journey.Index(cur), From: journey.Index(from), Wait: true, Class: class}}
}
