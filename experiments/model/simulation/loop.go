package simulation

import (
	"fmt"
	"math"
	"time"
)

// mostEvents bounds a simulation, so that one that feeds itself ends.
const mostEvents = 20_000_000

// Loop runs events in the order of their virtual times; those of one time in the order in which they were set. The zero value is
// ready. A Loop belongs to one goroutine.
type Loop struct {
	now    time.Duration
	events events
	set    uint64
}

// Event is something that happens later, unless it is canceled.
type Event struct {
	at    time.Duration
	order uint64
	do    func()
}

// Cancel takes an event back. It changes nothing on a nil event, or on one that happened.
func (e *Event) Cancel() {
	if e != nil {
		e.do = nil
	}
}

// Now returns the virtual time since the start.
func (l *Loop) Now() time.Duration { return l.now }

// At sets an event for a time; one that is past happens now.
func (l *Loop) At(at time.Duration, do func()) *Event {
	e := &Event{at: max(at, l.now), order: l.set, do: do}
	l.set++
	l.events.push(e)
	return e
}

// After sets an event for a time from now.
func (l *Loop) After(d time.Duration, do func()) *Event { return l.At(plus(l.now, d), do) }

// plus adds two times. What is later than Forever is Forever.
func plus(a, b time.Duration) time.Duration {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return Forever
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// Run runs until no event is left. It returns an error when they do not end.
func (l *Loop) Run() error {
	for range mostEvents {
		if len(l.events) == 0 {
			return nil
		}
		e := l.events.pop()
		if do := e.do; do != nil {
			l.now, e.do = e.at, nil
			do()
		}
	}
	return fmt.Errorf("the simulation did not end within %d events: simulate fewer orders", mostEvents)
}

// events is a binary heap with the next event first, typed, since most of a simulation is spent in it.
type events []*Event

func (e *Event) before(o *Event) bool { return e.at < o.at || e.at == o.at && e.order < o.order }

func (q *events) push(e *Event) {
	h := append(*q, e)
	*q = h
	i := len(h) - 1
	for ; i > 0 && e.before(h[(i-1)/2]); i = (i - 1) / 2 {
		h[i] = h[(i-1)/2]
	}
	h[i] = e
}

func (q *events) pop() *Event {
	h := *q
	first, last := h[0], h[len(h)-1]
	h[len(h)-1] = nil
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(last) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = last
	return first
}
