package predict

import (
	"cmp"
	"slices"

	"tracelab/journey"
)

const none = -1 // no activity, no hop

// anchor says from where the start of an activity is counted.
type anchor uint8

const (
	atNeeds anchor = iota // from the end of what it needs among its siblings, or without any from its holder's start
	atStart               // from its holder's start: what a message or a call carries
	atEnd                 // from its holder's end
)

// activity is a span in a plan, or what a turn adds: a publish, or the handling of a message that comes back.
type activity struct {
	span    journey.Index // none for what a turn added
	service int32
	holder  int32 // what started it; none: it starts lag after the journey
	kids    []int32
	waits   bool // its holder ends no sooner than it
	anchor  anchor

	start, end int64 // as measured, from the journey's start; never changed: they tell who needs whom
	lag        int64 // from its anchor to its start
	last       int64 // from the end of the last that it waits for, or from its start, to its end

	joins   []join  // what else has to come before its start
	replies []join  // handlings of replies that it waits for: they end before it does
	callees []int32 // that it carries a call or a message to
	hop     int32   // of a callee: the number of its hop's kind; else none
	message bool    // of a callee: it is reached by a message
	carrier int32   // of a callee
}

// join is another activity for which one waits before it starts.
type join struct {
	of      int32
	start   bool // its start counts, not its end
	message bool // by a message of its own
	lag     int64
}

// to returns the end that decides who needs whom: never before the start.
func (a *activity) to() int64 { return max(a.start, a.end) }

// plan says what starts after what in a journey. Activities are never removed: one that is in no kids does not happen.
type plan struct {
	journey    *journey.Journey
	acts       []activity
	root       int32
	retries    int  // callees that were left out for a later attempt of the same call
	circular   bool // joins were left out of a replay, because what they wait for waits for them
	services   map[string]int32
	names      []string // of services, by number
	byEnd      []int32  // scratch
	prefixLast []int64  // scratch
}

// newPlan makes the plan of a journey. kind numbers the kinds of hops.
func newPlan(j *journey.Journey, kind func(callee journey.Index) int32) *plan {
	spans := j.Spans()
	p := &plan{journey: j, acts: make([]activity, len(spans), len(spans)+8), root: none, services: make(map[string]int32)}
	set := j.Set()
	for at, i := range spans {
		start, _ := set.Times(i)
		p.acts[at] = activity{
			span: i, holder: none, hop: none, carrier: none, service: p.serviceNumber(set.Span(i).Service),
			start: start - j.Start(), end: set.EffectiveEnd(i) - j.Start(),
		}
	}
	if root, ok := j.Root(); ok {
		at, _ := j.Position(root)
		p.root = int32(at)
	}
	for at := range spans {
		p.place(int32(at))
	}
	p.cutCircles()
	p.findHops(len(spans), kind)
	for at := range p.acts {
		if h := p.acts[at].holder; h != none {
			p.acts[h].kids = append(p.acts[h].kids, int32(at))
		}
	}
	p.findReplies()
	for a := range p.acts {
		p.measure(int32(a))
	}
	return p
}

func (p *plan) serviceNumber(name string) int32 {
	n, ok := p.services[name]
	if !ok {
		n = int32(len(p.names))
		p.services[name] = n
		p.names = append(p.names, name)
	}
	return n
}

// place finds the holder of an activity: its caller, or else the cause that was ready last.
func (p *plan) place(at int32) {
	a, set := &p.acts[at], p.journey.Set()
	a.lag = a.start
	if at == p.root {
		return
	}
	if caller, ok := set.Caller(a.span); ok {
		if h, ok := p.journey.Position(caller); ok {
			a.holder, a.waits = int32(h), true
			return
		}
	}
	var best journey.Edge
	for e := range set.Causes(a.span) {
		h, ok := p.journey.Position(e.From)
		if !ok || int32(h) == at {
			continue
		}
		sooner := a.holder != none && cmp.Or(cmp.Compare(e.Ready, best.Ready), preferMessage(e, best)) <= 0
		if sooner {
			continue
		}
		best, a.holder = e, int32(h)
	}
	if a.holder == none {
		return
	}
	switch {
	case best.Class == journey.ClassMessage && !set.ConsumerSide(best.From):
		a.anchor, a.message = atStart, true
		p.addJoins(at)
	case best.Ready-p.journey.Start() < a.start || a.start >= p.acts[a.holder].to():
		a.anchor = atEnd
	}
}

// preferMessage orders causes that were ready at the same time.
func preferMessage(a, b journey.Edge) int {
	x, y := a.Class == journey.ClassMessage, b.Class == journey.ClassMessage
	switch {
	case x == y:
		return cmp.Compare(b.From, a.From)
	case x:
		return 1
	}
	return -1
}

// addJoins adds the other messages that a consumer handled: it starts no sooner than they were sent.
func (p *plan) addJoins(at int32) {
	a := &p.acts[at]
	for e := range p.journey.Set().Causes(a.span) {
		h, ok := p.journey.Position(e.From)
		if ok && int32(h) != a.holder && int32(h) != at && e.Class == journey.ClassMessage {
			a.joins = append(a.joins, join{of: int32(h), message: true, lag: min(0, a.start-p.acts[h].end)})
		}
	}
}

// cutCircles lets the earliest of activities that hold each other in a circle start when it did.
func (p *plan) cutCircles() {
	const seen, done = 1, 2
	state := make([]uint8, len(p.acts))
	var chain []int32
	for a := range p.acts {
		at := int32(a)
		for at != none && state[at] == 0 {
			state[at] = seen
			chain = append(chain, at)
			at = p.acts[at].holder
		}
		if at != none && state[at] == seen {
			first := at
			for x := p.acts[at].holder; x != at; x = p.acts[x].holder {
				if p.acts[x].start < p.acts[first].start {
					first = x
				}
			}
			cut := &p.acts[first]
			cut.holder, cut.waits, cut.message, cut.anchor, cut.joins = none, false, false, atNeeds, nil
		}
		for _, x := range chain {
			state[x] = done
		}
		chain = chain[:0]
	}
}

// findReplies makes an activity that waited for a reply end after the handling of it, less the time by which that ran over the
// activity's end.
func (p *plan) findReplies() {
	for _, r := range p.journey.Replies() {
		waiter, ok := p.journey.Position(r.Waiter)
		back, too := p.journey.Position(r.Back)
		if ok && too && waiter != back {
			a := &p.acts[waiter]
			a.replies = append(a.replies, join{of: int32(back), lag: min(0, a.end-p.acts[back].end)})
		}
	}
}

// before orders siblings by time: only an earlier one can be needed.
func (p *plan) before(a, b int32) int {
	x, y := &p.acts[a], &p.acts[b]
	return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.to(), y.to()), cmp.Compare(a, b))
}

// waited lists the kids that an activity waits for by their ends. The slice is valid until the next call.
func (p *plan) waited(h int32) []int32 {
	p.byEnd = p.byEnd[:0]
	for _, k := range p.acts[h].kids {
		if p.acts[k].waits {
			p.byEnd = append(p.byEnd, k)
		}
	}
	slices.SortFunc(p.byEnd, p.byEndOrder)
	return p.byEnd
}

func (p *plan) byEndOrder(a, b int32) int {
	x, y := &p.acts[a], &p.acts[b]
	return cmp.Or(cmp.Compare(x.to(), y.to()), cmp.Compare(x.start, y.start), cmp.Compare(a, b))
}

// needed returns how many of the activities, by their ends, had ended when k began: k needs them.
func (p *plan) needed(byEnd []int32, k int32) int {
	x := &p.acts[k]
	n, _ := slices.BinarySearchFunc(byEnd, k, func(e, k int32) int {
		y := &p.acts[e]
		switch {
		case y.to() < x.start, y.to() == x.start && (y.start < x.start || x.to() > x.start || e < k):
			return -1
		}
		return 1
	})
	return n
}

// measure sets the lags of an activity's kids and its own last one to what they were.
func (p *plan) measure(h int32) {
	a := &p.acts[h]
	byEnd := p.waited(h)
	p.prefixLast = p.prefixLast[:0]
	for n, k := range byEnd {
		end := p.acts[k].end
		if n > 0 {
			end = max(end, p.prefixLast[n-1])
		}
		p.prefixLast = append(p.prefixLast, end)
	}
	for _, k := range a.kids {
		kid := &p.acts[k]
		from := a.start
		switch kid.anchor {
		case atStart:
		case atEnd:
			from = a.end
		case atNeeds:
			if n := p.needed(byEnd, k); n > 0 {
				from = p.prefixLast[n-1]
			}
		}
		kid.lag = kid.start - from
	}
	latest := a.start
	if n := len(byEnd); n > 0 {
		latest = p.prefixLast[n-1]
	}
	for _, r := range a.replies {
		latest = max(latest, p.acts[r.of].end+r.lag)
	}
	a.last = a.end - latest
}
