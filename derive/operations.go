package derive

import (
	"cmp"
	"slices"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// via is how an operation was led to.
type via uint8

const (
	viaRoot    via = iota
	viaCall        // of another service
	viaMessage     // of any service
	viaOwn         // a step of the lab, in the service that leads to it and waits for it
	viaBehind      // work that the service began and did not wait for
)

// waits tells whether who led to it waits for its end.
func (v via) waits() bool { return v == viaCall || v == viaOwn }

// stepAttribute names a step of the lab on its span.
const stepAttribute = "tracelab.step"

// none is no operation and no span; lost is the operation of a span that nothing leads to, or that is in a circle.
const (
	none = -1
	lost = -2
)

// operation is what one service did for one call or message of a journey, with all spans of that service below it. Times count from
// the journey's start, in nanoseconds.
type operation struct {
	first      int // its first span, by position in the journey
	via        via
	parent     int // the operation that led to it; none for the root
	start, end int64
	// from and to are the hop as who made it saw it: of a call its client's span, of a message the sending of it.
	from, to int64
	hop      int     // the span that made the hop, by position; none without one
	answers  []span  // of a conversation by messages, for which the operation waited
	kids     []int   // operations, by the start of their hops
	sent     []int32 // positions of spans that sent a message which nobody is seen to receive
}

// span is an interval.
type span struct{ from, to int64 }

// operations finds the operations of one journey.
type operations struct {
	journey *journey.Journey
	set     *journey.Set
	spans   []journey.Index
	holder  []int           // by position: the span that led to it; none for the first, and for one that nothing leads to
	class   []journey.Class // of the edge from the holder
	of      []int           // by position: the operation
	list    []operation     // each after its parent
}

// newOperations reads a journey.
func newOperations(j *journey.Journey) *operations {
	o := &operations{journey: j, set: j.Set(), spans: j.Spans()}
	o.holder, o.class, o.of = make([]int, len(o.spans)), make([]journey.Class, len(o.spans)), make([]int, len(o.spans))
	for at := range o.spans {
		o.hold(at)
		o.of[at] = none
	}
	if first, ok := j.First(); ok {
		at, _ := j.Position(first)
		o.holder[at] = none
		o.open(at, viaRoot, none)
		for at := range o.spans {
			o.place(at)
		}
		o.finish()
	}
	return o
}

// hold finds the span that led to another one: its caller, or else the cause that was ready last.
func (o *operations) hold(at int) {
	o.holder[at] = none
	i := o.spans[at]
	if caller, ok := o.set.Caller(i); ok {
		if h, ok := o.journey.Position(caller); ok && h != at {
			o.holder[at], o.class[at] = h, journey.ClassCall
			return
		}
	}
	var best journey.Edge
	for e := range o.set.Causes(i) {
		h, ok := o.journey.Position(e.From)
		if !ok || h == at || o.holder[at] != none && cmp.Compare(e.Ready, best.Ready) <= 0 {
			continue
		}
		best, o.holder[at], o.class[at] = e, h, e.Class
	}
}

// opens tells whether a span is the first of an operation, and how that was led to.
func (o *operations) opens(at int) (via, bool) {
	h := o.holder[at]
	mine, its := o.set.Span(o.spans[at]), o.set.Span(o.spans[h])
	switch {
	case o.relays(at):
		return 0, false
	case o.class[at] == journey.ClassMessage:
		return viaMessage, true
	case mine.Service != its.Service && o.class[at] == journey.ClassContinuation:
		return viaMessage, true
	case mine.Service != its.Service:
		return viaCall, true
	case o.class[at] != journey.ClassCall:
		return viaBehind, true
	}
	if _, step := mine.Attr(stepAttribute); step {
		return viaOwn, true
	}
	return 0, false
}

// relays tells whether a span passes on a message that was made by another span: an outbox, or a batch.
func (o *operations) relays(at int) bool {
	return o.class[at] == journey.ClassMessage && !o.set.ConsumerSide(o.spans[at]) && o.sends(at)
}

// sends tells whether a span sent a message.
func (o *operations) sends(at int) bool {
	operation := o.set.Operation(o.spans[at])
	return o.set.Span(o.spans[at]).Kind == journey.KindProducer || operation == semconv.OperationSend || operation == semconv.OperationCreate
}

// place finds the operation of a span. It follows what led to it as far as no operation is known; spans that lead to each other in a circle, and
// those that nothing leads to, are in none.
func (o *operations) place(at int) {
	var chain []int
	for at != none && o.of[at] == none {
		o.of[at] = lost
		chain = append(chain, at)
		at = o.holder[at]
	}
	if at == none || o.of[at] == lost {
		return
	}
	for _, at := range slices.Backward(chain) {
		of := o.of[o.holder[at]]
		if how, opens := o.opens(at); opens {
			o.open(at, how, of)
			continue
		}
		o.of[at] = of
	}
}

// open begins an operation.
func (o *operations) open(at int, how via, parent int) {
	start, end := o.times(at)
	op := operation{first: at, via: how, parent: parent, start: start, end: end, from: start, to: end, hop: none}
	if parent != none {
		op.hop, op.from, op.to = o.hopOf(at, how, start, end)
	}
	o.of[at] = len(o.list)
	o.list = append(o.list, op)
}

// times are when a span began and ended, from the journey's start.
func (o *operations) times(at int) (start, end int64) {
	start, _ = o.set.Times(o.spans[at])
	return start - o.journey.Start(), max(start, o.set.EffectiveEnd(o.spans[at])) - o.journey.Start()
}

// hopOf finds the span that made the hop to an operation, and when it was made.
func (o *operations) hopOf(at int, how via, start, end int64) (hop int, from, to int64) {
	h := o.holder[at]
	switch how {
	case viaMessage:
		for h != none && o.relays(h) { // the message was made further up
			h = o.holder[h]
		}
		if h == none {
			return none, start, start
		}
		from, to = o.times(h)
		if !o.sends(h) { // the context came from a span that did other things
			from = min(to, start)
			to = from
		}
		return h, from, to
	case viaCall:
		const mostAttempts = 8 // client's spans and middleware above each other
		found := none
		for n := 0; h != none && n < mostAttempts && o.of[h] >= 0 && h != o.list[o.of[h]].first; n++ {
			if kind := o.set.Span(o.spans[h]).Kind; kind == journey.KindClient || kind == journey.KindProducer {
				found = h
			}
			h = o.holder[h]
		}
		if found != none {
			start, end = o.times(found)
		}
		return found, start, end
	default:
		return none, start, end
	}
}

// finish orders what the operations led to, and finds what they waited for.
func (o *operations) finish() {
	for at := range o.list {
		if p := o.list[at].parent; p != none {
			o.list[p].kids = append(o.list[p].kids, at)
		}
	}
	for at := range o.list {
		slices.SortStableFunc(o.list[at].kids, func(a, b int) int {
			return cmp.Or(cmp.Compare(o.list[a].from, o.list[b].from), cmp.Compare(o.list[a].to, o.list[b].to))
		})
	}
	for _, r := range o.journey.Replies() {
		waiter, ok := o.journey.Position(r.Waiter)
		sent, too := o.journey.Position(r.Sent)
		back, three := o.journey.Position(r.Back)
		if ok && too && three && o.of[waiter] >= 0 {
			from, _ := o.times(sent)
			_, to := o.times(back)
			op := &o.list[o.of[waiter]]
			op.answers = append(op.answers, span{from, to})
		}
	}
	for _, i := range o.journey.Unreceived() {
		if at, ok := o.journey.Position(i); ok && o.of[at] >= 0 {
			op := &o.list[o.of[at]]
			op.sent = append(op.sent, int32(at))
		}
	}
}
