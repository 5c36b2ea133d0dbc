package predict

// times has when the activities of a plan start and end, from the journey's start.
type times struct {
	start, end []int64 // by activity; only of those that are alive
	alive      []bool
}

// The events of an activity. It has passed when it and all siblings that end before it have ended.
const (
	eventStart = iota
	eventEnd
	eventPassed
	eventsEach
)

const never = -1 << 62

// replayer computes the events of a plan, each after those that it follows, with a stack of its own.
type replayer struct {
	*plan
	times
	joins  bool
	after  []int32 // by activity: the sibling whose passing lets it start, or none
	final  []int32 // by activity: the kid whose passing lets it end, or none
	prior  []int32 // by activity: the sibling that ended before it, or none
	passed []int64
	state  []uint8
	stack  []int32
	circle bool // an event would have to follow itself
}

// replay computes when everything happens. Where joins make an event follow itself, it does without joins. O(n log n).
func (p *plan) replay() times {
	t, circle := p.replayOnce(true)
	if circle {
		p.circular = true
		t, _ = p.replayOnce(false)
	}
	return t
}

func (p *plan) replayOnce(joins bool) (t times, circle bool) {
	n := len(p.acts)
	r := replayer{
		plan: p, joins: joins, times: times{make([]int64, n), make([]int64, n), make([]bool, n)},
		after: make([]int32, n), final: make([]int32, n), prior: make([]int32, n), passed: make([]int64, n), state: make([]uint8, n*eventsEach),
	}
	for at := range r.after {
		r.after[at], r.final[at], r.prior[at] = none, none, none
	}
	for at := range p.acts {
		if p.acts[at].holder == none && p.acts[at].span != none {
			r.reach(int32(at))
		}
	}
	for at := range p.acts {
		if r.alive[at] {
			r.compute(int32(at)*eventsEach + eventEnd)
		}
	}
	return r.times, r.circle
}

// reach marks the activities below one as alive, and finds what each follows.
func (r *replayer) reach(root int32) {
	stack := []int32{root}
	for len(stack) > 0 {
		h := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		r.alive[h] = true
		stack = append(stack, r.acts[h].kids...)
		byEnd := r.waited(h)
		for n, k := range byEnd {
			if n > 0 {
				r.prior[k] = byEnd[n-1]
			}
			r.final[h] = k
		}
		for _, k := range r.acts[h].kids {
			if n := r.needed(byEnd, k); n > 0 {
				r.after[k] = byEnd[n-1]
			}
		}
	}
}

// States of an event.
const (
	stateNew = iota
	stateOpen
	stateDone
)

// compute computes one event and what it follows.
func (r *replayer) compute(event int32) {
	r.stack = append(r.stack[:0], event)
	for len(r.stack) > 0 {
		e := r.stack[len(r.stack)-1]
		switch r.state[e] {
		case stateDone:
			r.stack = r.stack[:len(r.stack)-1]
		case stateOpen:
			r.set(e)
			r.stack = r.stack[:len(r.stack)-1]
		default:
			r.state[e] = stateOpen
			r.follows(e, func(before int32, _ int64) {
				switch r.state[before] {
				case stateNew:
					r.stack = append(r.stack, before)
				case stateOpen:
					r.circle = true
				}
			})
		}
	}
}

// set is called when all that the event follows has been computed.
func (r *replayer) set(e int32) {
	at := e / eventsEach
	a := &r.acts[at]
	latest := int64(never)
	r.follows(e, func(before int32, lag int64) { latest = max(latest, r.at(before)+lag) })
	switch e % eventsEach {
	case eventStart:
		if a.holder == none {
			latest = max(latest, a.lag)
		}
		r.start[at] = latest
	case eventEnd:
		r.end[at] = latest
	case eventPassed:
		r.passed[at] = latest
	}
	r.state[e] = stateDone
}

func (r *replayer) at(e int32) int64 {
	switch at := e / eventsEach; e % eventsEach {
	case eventStart:
		return r.start[at]
	case eventEnd:
		return r.end[at]
	default:
		return r.passed[at]
	}
}

// follows yields the events that an event follows, and how long after each it comes at the soonest.
func (r *replayer) follows(e int32, yield func(before int32, lag int64)) {
	at := e / eventsEach
	a := &r.acts[at]
	switch e % eventsEach {
	case eventEnd:
		if k := r.final[at]; k != none {
			yield(k*eventsEach+eventPassed, a.last)
		} else {
			yield(at*eventsEach+eventStart, a.last)
		}
		for _, reply := range a.replies {
			if r.joins && r.alive[reply.of] {
				yield(reply.of*eventsEach+eventEnd, reply.lag+a.last)
			}
		}
	case eventPassed:
		yield(at*eventsEach+eventEnd, 0)
		if k := r.prior[at]; k != none {
			yield(k*eventsEach+eventPassed, 0)
		}
	case eventStart:
		switch {
		case a.holder == none:
		case a.anchor == atEnd:
			yield(a.holder*eventsEach+eventEnd, a.lag)
		case a.anchor == atNeeds && r.after[at] != none:
			yield(r.after[at]*eventsEach+eventPassed, a.lag)
		default:
			yield(a.holder*eventsEach+eventStart, a.lag)
		}
		for _, j := range a.joins {
			switch {
			case !r.joins || !r.alive[j.of]:
			case j.start:
				yield(j.of*eventsEach+eventStart, j.lag)
			default:
				yield(j.of*eventsEach+eventEnd, j.lag)
			}
		}
	}
}

// callerWait returns how long the root lasts, and false without one.
func (t *times) callerWait(p *plan) (int64, bool) {
	if p.root == none {
		return 0, false
	}
	return t.end[p.root] - t.start[p.root], true
}

// completion returns when the last activity has ended.
func (t *times) completion() int64 {
	latest := int64(0)
	for at, end := range t.end {
		if t.alive[at] {
			latest = max(latest, end)
		}
	}
	return latest
}
