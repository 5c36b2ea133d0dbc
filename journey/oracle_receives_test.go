package journey_test

import (
	"slices"

	"tracelab/journey"
)

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
