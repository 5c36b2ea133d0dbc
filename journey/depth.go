package journey

// Depth is how far a journey goes.
type Depth struct {
	Spans    int // spans on the longest causal chain from its first span
	Hops     int // changes of service on that chain; of several longest ones, the most
	Messages int // messages on the chain that has most of them
}

// Depth returns the depth of the journey: O(n + e) for n spans and e edges. A circle of links is
// cut at its earliest span.
func (j *Journey) Depth() Depth {
	s := j.set
	depths := make([]Depth, len(j.spans))
	var deepest Depth
	for _, k := range j.causeFirst() {
		i := j.spans[k]
		d := Depth{Spans: 1}
		for _, e := range s.edgesTo(i) {
			p, ok := j.position(e.pred)
			if !ok || depths[p].Spans == 0 {
				continue
			}
			from := depths[p]
			from.Spans++
			if s.nodes[e.pred].service != s.nodes[i].service {
				from.Hops++
			}
			if e.class == ClassMessage {
				from.Messages++
			}
			d = d.deeper(from)
		}
		depths[k] = d
		deepest = deepest.deeper(d)
	}
	return deepest
}

// deeper takes the longer chain's spans and hops, and the greater number of messages of either.
func (d Depth) deeper(than Depth) Depth {
	messages := max(d.Messages, than.Messages)
	if than.Spans > d.Spans || than.Spans == d.Spans && than.Hops > d.Hops {
		d = than
	}
	d.Messages = messages
	return d
}

// causeFirst returns the positions of the journey's spans, causes before effects: usually the order of their starts.
func (j *Journey) causeFirst() []int32 {
	order := make([]int32, 0, len(j.spans))
	if j.set == nil || !j.set.backwards {
		for k := range j.spans {
			order = append(order, int32(k))
		}
		return order
	}
	missing := make([]int32, len(j.spans)) // by position, how many causes are not in order yet
	for k, i := range j.spans {
		for _, e := range j.set.edgesTo(i) {
			if j.Contains(e.pred) {
				missing[k]++
			}
		}
	}
	take := func(k int) {
		missing[k] = -1
		order = append(order, int32(k))
	}
	for k := range missing {
		if missing[k] == 0 {
			take(k)
		}
	}
	for head, next := 0, 0; len(order) < len(j.spans) || head < len(order); {
		if head == len(order) { // only circles are left: cut one at its earliest span
			for missing[next] < 0 {
				next++
			}
			take(next)
		}
		release := func(effect Index) {
			if k, ok := j.position(effect); ok {
				if missing[k]--; missing[k] == 0 {
					take(k)
				}
			}
		}
		for _, effect := range j.set.effectsOf(j.spans[order[head]]) {
			release(effect)
		}
		for _, effect := range j.set.retries[j.spans[order[head]]] {
			release(effect)
		}
		head++
	}
	return order
}
