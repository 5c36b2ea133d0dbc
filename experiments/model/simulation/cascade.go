package simulation

import (
	"errors"
	"fmt"
	"time"
)

// Cascade is an entry whose workers wait for a service that some of the orders need, and that hangs.
type Cascade struct {
	Arrivals []time.Duration
	Costs    []time.Duration // time with a worker of the entry, but for the wait for the service
	Needs    []bool          // which orders need the service
	Workers  int             // of the entry
	Places   int             // that can wait at the entry; Unbounded
	Hang     time.Duration   // how long the service takes; it has workers enough
	Deadline time.Duration   // of an order, from its arrival on; it cuts the wait for the service short

	Bulkhead int     // the most orders that wait for the service at once, the others are refused; 0 is no limit
	Breaker  Breaker // in front of the service
	// Messages hands orders over to a queue, so that the entry's workers do not wait for the service.
	Messages bool
}

// Run returns what became of each order, as its client sees it.
func (c Cascade) Run() ([]Order, error) {
	if err := checkOrders(c.Arrivals, c.Costs, c.Workers); err != nil {
		return nil, err
	}
	if len(c.Needs) != len(c.Arrivals) {
		return nil, fmt.Errorf("%d orders and %d marks of their needs: one each is needed", len(c.Arrivals), len(c.Needs))
	}
	if c.Deadline <= 0 || c.Hang < 0 || c.Bulkhead < 0 {
		return nil, errors.New("a cascade needs a deadline above 0, and a hang and a bulkhead of at least 0")
	}
	r := &cascade{Cascade: c, loop: new(Loop), station: &Station{Workers: c.Workers, Places: c.Places}, orders: make([]Order, len(c.Arrivals))}
	for i, at := range c.Arrivals {
		r.orders[i].Arrived = at
		r.loop.At(at, func() { r.arrive(i) })
	}
	err := r.loop.Run()
	return r.orders, err
}

// cascade is a Cascade that runs.
type cascade struct {
	Cascade
	loop    *Loop
	station *Station
	inside  int // that wait for the service
	orders  []Order
}

// handling is one order at the entry.
type handling struct {
	r        *cascade
	number   int
	ticket   *Ticket
	step     *Event // what it does now
	deadline *Event
	started  bool
	calling  bool
}

func (r *cascade) arrive(i int) {
	h := &handling{r: r, number: i}
	h.ticket = r.station.Enter(h.work)
	if h.ticket == nil {
		h.end(Refused)
		return
	}
	h.deadline = r.loop.After(r.Deadline, func() { h.end(TimedOut) })
}

func (h *handling) work() {
	h.started = true
	h.r.orders[h.number].Started = h.r.loop.Now()
	h.step = h.r.loop.After(h.r.Costs[h.number], func() {
		if h.r.Needs[h.number] && !h.r.Messages {
			h.call()
			return
		}
		h.end(Done)
	})
}

func (h *handling) call() {
	r := h.r
	if r.Bulkhead > 0 && r.inside >= r.Bulkhead || !r.Breaker.allow(r.loop.Now()) {
		h.end(Refused)
		return
	}
	r.inside++
	h.calling = true
	h.step = r.loop.After(r.Hang, func() { h.end(Done) })
}

func (h *handling) end(outcome Outcome) {
	r, o := h.r, &h.r.orders[h.number]
	h.step.Cancel()
	h.deadline.Cancel()
	if h.calling {
		r.inside--
		r.Breaker.record(r.loop.Now(), outcome == Done)
	}
	o.Ended, o.Outcome = r.loop.Now(), outcome
	if !h.started {
		o.Started = o.Ended
	}
	if h.ticket != nil {
		h.ticket.Leave()
	}
}
