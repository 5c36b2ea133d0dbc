package simulation

import "time"

// Queue is one service in front of which orders wait.
type Queue struct {
	Arrivals []time.Duration
	Costs    []time.Duration // time with a worker, of each order
	Workers  int
	Places   int // that can wait; Unbounded
	// Partitions spreads the orders over so many partitions of a topic, by Seed, in the place of one queue (see Station); 0 or 1 is one.
	Partitions int
	Seed       uint64

	Fault Fault // nil changes nothing
	// Deadline after the arrival, when an order gives up its place or its worker; 0 is none.
	Deadline time.Duration
}

// Fault changes the cost of an order that a worker starts at a time.
type Fault func(order int, start, cost time.Duration) time.Duration

// Slow is a fault that adds time to the orders that are hit and start from a time on and before another.
func Slow(from, to, added time.Duration, hits []bool) Fault {
	return func(order int, start, cost time.Duration) time.Duration {
		if start >= from && start < to && order < len(hits) && hits[order] {
			return plus(cost, added)
		}
		return cost
	}
}

// Stopped is a fault that does no work from a time on and before another: what starts then waits until the end.
func Stopped(from, to time.Duration) Fault {
	return func(_ int, start, cost time.Duration) time.Duration {
		if start >= from && start < to {
			return plus(to-start, cost)
		}
		return cost
	}
}

// Run returns what became of each order.
func (q Queue) Run() ([]Order, error) {
	if err := checkOrders(q.Arrivals, q.Costs, q.Workers); err != nil {
		return nil, err
	}
	loop := new(Loop)
	station := &Station{Workers: q.Workers, Places: q.Places, Partitions: q.Partitions}
	orders := make([]Order, len(q.Arrivals))
	partitions := stream(q.Seed, partitionStream)
	for i, at := range q.Arrivals {
		orders[i].Arrived = at
		partition := partitions.IntN(max(1, q.Partitions))
		loop.At(at, func() { q.arrive(loop, station, i, partition, &orders[i]) })
	}
	err := loop.Run()
	return orders, err
}

func (q Queue) arrive(loop *Loop, station *Station, number, partition int, o *Order) {
	var ticket *Ticket
	var done, deadline *Event
	started := false
	end := func(outcome Outcome) {
		done.Cancel()
		deadline.Cancel()
		o.Ended, o.Outcome = loop.Now(), outcome
		if !started {
			o.Started = o.Ended
		}
		if ticket != nil {
			ticket.Leave()
		}
	}
	ticket = station.EnterAt(partition, func() {
		o.Started, started = loop.Now(), true
		cost := q.Costs[number]
		if q.Fault != nil {
			cost = q.Fault(number, o.Started, cost)
		}
		done = loop.After(cost, func() { end(Done) })
	})
	switch {
	case ticket == nil:
		end(Refused)
	case q.Deadline > 0:
		deadline = loop.After(q.Deadline, func() { end(TimedOut) })
	}
}
