package model

import (
	"errors"
	"fmt"
	"time"
)

// Overload is a period in which more orders arrive than can be served: a surge, a slow service, or an outage (capacity 0).
//
// Source of its methods: the fluid limit of a queue (Newell, Applications of Queueing Theory, 1982, chapter 2). Limits: arrivals and
// services count as continuous flows, which holds for a large backlog (much larger than its square root); the queue is empty at the start, and
// orders are served in the order of their arrival.
type Overload struct {
	Arrivals float64       // per second, while it lasts
	Capacity float64       // orders that can be served per second, while it lasts
	Lasts    time.Duration // how long it lasts
}

// Backlog returns how many orders wait at the end: (λ−μ)·T, and 0 if the capacity is sufficient.
func (o Overload) Backlog() (float64, error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	return max(0, (o.Arrivals-o.Capacity)*o.Lasts.Seconds()), nil
}

// CatchUp returns how long it takes to clear the backlog after the overload: backlog/(μ−λ), with the rates after it. For an outage of
// length T with constant arrivals that is λT/(μ−λ).
func (o Overload) CatchUp(arrivals, capacity float64) (time.Duration, error) {
	backlog, err := o.Backlog()
	if err = errors.Join(err, notNegative("the arrivals after", arrivals), positive("the capacity after", capacity)); err != nil {
		return 0, err
	}
	if arrivals >= capacity {
		return 0, fmt.Errorf("%g arrive and %g are served per second: the backlog never ends", arrivals, capacity)
	}
	return span(backlog / (capacity - arrivals))
}

// Wait returns how long orders that arrive during the overload wait: the last one (λ/μ−1)·T, the average order half of that.
// In an outage (capacity 0) the wait depends on the capacity after it: use OutageWait.
func (o Overload) Wait() (mean, last time.Duration, err error) {
	backlog, err := o.Backlog()
	if err = errors.Join(err, positive("the capacity", o.Capacity)); err != nil {
		return 0, 0, err
	}
	if last, err = span(backlog / o.Capacity); err != nil {
		return 0, 0, err
	}
	return last / 2, last, nil
}

// OutageWait returns how long orders that arrive during an outage wait, given the capacity per second after it: the first one T, the last one
// λT/μ, the average order half of the sum.
func (o Overload) OutageWait(capacity float64) (mean, last time.Duration, err error) {
	backlog, err := o.Backlog()
	if err = errors.Join(err, positive("the capacity after", capacity)); err != nil {
		return 0, 0, err
	}
	if o.Capacity != 0 {
		return 0, 0, fmt.Errorf("the capacity is %g: an outage serves nothing; use Wait", o.Capacity)
	}
	if last, err = span(backlog / capacity); err != nil {
		return 0, 0, err
	}
	return (o.Lasts + last) / 2, last, nil
}

// Loss returns the share of the orders arriving during the overload that is refused, when the queue has so many places.
func (o Overload) Loss(places int) (float64, error) {
	backlog, err := o.Backlog()
	if err = errors.Join(err, notNegative("the number of places", float64(places)), positive("the arrivals", o.Arrivals)); err != nil {
		return 0, err
	}
	return max(0, backlog-float64(places)) / (o.Arrivals * o.Lasts.Seconds()), nil
}

func (o Overload) check() error {
	return errors.Join(notNegative("arrivals per second", o.Arrivals), notNegative("capacity per second", o.Capacity),
		positive("the length in seconds", o.Lasts.Seconds()))
}
