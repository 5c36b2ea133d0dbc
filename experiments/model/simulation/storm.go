package simulation

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Storm is one service whose callers give up and try again.
type Storm struct {
	Arrivals []time.Duration
	Costs    []time.Duration // time with a worker, of each attempt of an order
	Workers  int
	Places   int // that can wait; Unbounded
	Fault    Fault

	Deadline time.Duration // of each attempt
	Retries  int           // after the first attempt
	Backoff  time.Duration // before the first retry; doubled for each next one, and drawn from half of it to the whole
	Budget   float64       // retries as a share of the calls; 0 is no limit
	// Cancel takes an attempt that timed out from the queue or its worker. Without it the work goes on for nobody.
	Cancel bool
	Seed   uint64 // of the jitter
}

// backoffStream keeps the jitter apart from arrivals and costs.
const backoffStream = 101

// Stormed is what became of a storm.
type Stormed struct {
	Orders   []Order
	Attempts []int // of each order
}

// Run returns what became of each order. An order that fails for good ends with the outcome of its last attempt.
func (s Storm) Run() (Stormed, error) {
	if err := checkOrders(s.Arrivals, s.Costs, s.Workers); err != nil {
		return Stormed{}, err
	}
	if s.Deadline <= 0 || s.Retries < 0 || s.Budget < 0 || s.Backoff < 0 {
		return Stormed{}, errors.New("a storm needs a deadline above 0, and retries, backoff and budget of at least 0")
	}
	r := &storm{
		Storm: s, loop: new(Loop), station: &Station{Workers: s.Workers, Places: s.Places}, budget: newBudget(s.Budget),
		jitter:  rand.New(rand.NewPCG(s.Seed, backoffStream)),
		Stormed: Stormed{Orders: make([]Order, len(s.Arrivals)), Attempts: make([]int, len(s.Arrivals))},
	}
	for i, at := range s.Arrivals {
		r.Orders[i].Arrived, r.Orders[i].Started = at, -1
		r.loop.At(at, func() {
			r.budget.call()
			r.attempt(i)
		})
	}
	err := r.loop.Run()
	return r.Stormed, err
}

// storm is a Storm that runs.
type storm struct {
	Storm
	Stormed
	loop    *Loop
	station *Station
	budget  *budget
	jitter  *rand.Rand
}

func (r *storm) attempt(i int) {
	r.Attempts[i]++
	var ticket *Ticket
	var deadline *Event
	ticket = r.station.Enter(func() {
		if r.Orders[i].Started < 0 {
			r.Orders[i].Started = r.loop.Now()
		}
		cost := r.Costs[i]
		if r.Fault != nil {
			cost = r.Fault(i, r.loop.Now(), cost)
		}
		r.loop.After(cost, func() {
			if deadline != nil { // somebody still waits
				deadline.Cancel()
				r.end(i, Done)
			}
			ticket.Leave() // unless it was canceled
		})
	})
	if ticket == nil {
		r.failed(i, Refused)
		return
	}
	deadline = r.loop.After(r.Deadline, func() {
		deadline = nil
		if r.Cancel {
			ticket.Leave()
		}
		r.failed(i, TimedOut)
	})
}

func (r *storm) failed(i int, outcome Outcome) {
	if r.Attempts[i] > r.Retries || !r.budget.spend() {
		r.end(i, outcome)
		return
	}
	wait := r.Backoff
	for n := 1; n < r.Attempts[i] && wait < Forever; n++ {
		wait = plus(wait, wait)
	}
	wait = wait/2 + time.Duration(r.jitter.Float64()*float64(wait/2))
	r.loop.After(wait, func() { r.attempt(i) })
}

func (r *storm) end(i int, outcome Outcome) {
	o := &r.Orders[i]
	o.Ended, o.Outcome = r.loop.Now(), outcome
	if o.Started < 0 {
		o.Started = o.Ended
	}
}
