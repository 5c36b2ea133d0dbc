package simulation

import (
	"fmt"
	"math"
	"time"
)

// Outcome is what became of an order.
type Outcome int

// The outcomes.
const (
	Done     Outcome = iota
	Refused          // no place, or a limit or a breaker said no
	TimedOut         // its deadline passed
)

// Order is what became of one order, in virtual time since the start.
type Order struct {
	Arrived time.Duration
	Started time.Duration // when a worker took it for the first time; Ended when none did
	Ended   time.Duration
	Outcome Outcome
}

// Wait returns the time without a worker in milliseconds, +Inf of an order that was not done.
func (o Order) Wait() float64 { return o.orInf(o.Started - o.Arrived) }

// Response returns the time until the order was done in milliseconds, +Inf of one that was not.
func (o Order) Response() float64 { return o.orInf(o.Ended - o.Arrived) }

func (o Order) orInf(d time.Duration) float64 {
	if o.Outcome != Done {
		return math.Inf(1)
	}
	return float64(d) / float64(time.Millisecond)
}

// Share returns how many of the orders are so, as a share of those that arrived from a time on and before another. It is NaN when
// none arrived.
func Share(orders []Order, from, to time.Duration, is func(Order) bool) float64 {
	n, of := 0, 0
	for _, o := range orders {
		if o.Arrived < from || o.Arrived >= to {
			continue
		}
		of++
		if is(o) {
			n++
		}
	}
	return float64(n) / float64(of)
}

// Forever is a time after every order.
const Forever = time.Duration(math.MaxInt64)

// Failed holds for an order that was not done.
func Failed(o Order) bool { return o.Outcome != Done }

// checkOrders refuses what cannot be simulated.
func checkOrders(arrivals, costs []time.Duration, workers int) error {
	if len(arrivals) != len(costs) {
		return fmt.Errorf("%d arrivals and %d costs: one each is needed", len(arrivals), len(costs))
	}
	if workers < 1 {
		return fmt.Errorf("%d workers: at least 1 is needed", workers)
	}
	for i, c := range costs {
		if c < 0 || arrivals[i] < 0 {
			return fmt.Errorf("order %d arrives at %v and costs %v: both must be at least 0", i+1, arrivals[i], c)
		}
	}
	return nil
}
