package simulation

import (
	"container/heap"
	"fmt"
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
	heap.Push(&l.events, e)
	return e
}

// After sets an event for a time from now.
func (l *Loop) After(d time.Duration, do func()) *Event { return l.At(l.now+d, do) }

// Run runs until no event is left. It returns an error when they do not end.
func (l *Loop) Run() error {
	for range mostEvents {
		if len(l.events) == 0 {
			return nil
		}
		e, _ := heap.Pop(&l.events).(*Event)
		if do := e.do; do != nil {
			l.now, e.do = e.at, nil
			do()
		}
	}
	return fmt.Errorf("the simulation did not end within %d events: simulate fewer orders", mostEvents)
}

type events []*Event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(e any)   { *q = append(*q, e.(*Event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
