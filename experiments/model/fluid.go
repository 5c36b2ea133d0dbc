package model

import (
	"errors"
	"fmt"
	"time"
)

// Overload is a time in which more arrives than can be served: a surge, a slow service, or an outage (capacity 0).
//
// Source of its methods: the fluid limit of a queue (Newell, Applications of Queueing Theory, 1982, chapter 2). Limits: arrivals and
// services are streams, so it holds where the backlog is far above its own square root; the queue is empty at the start, and
// orders are served in the order of their arrival.
type Overload struct {
	Arrivals float64       // per second, while it lasts
	Capacity float64       // that can be served per second, while it lasts
	Lasts    time.Duration // how long
}

// Backlog returns how many orders wait at the end: (λ−μ)·T, and 0 where the capacity suffices.
func (o Overload) Backlog() (float64, error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	return max(0, (o.Arrivals-o.Capacity)*o.Lasts.Seconds()), nil
}

// CatchUp returns how long the backlog lasts after the end: backlog/(μ−λ), with the rates of the time after. For an outage of
// length T at equal arrivals that is λT/(μ−λ).
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

// Wait returns how long the orders that arrive during the overload wait: the last (λ/μ−1)·T, all of them half of it on average.
// In an outage (capacity 0) the wait depends on what comes after it: use OutageWait.
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

// OutageWait returns how long the orders of an outage wait, when capacity per second is served after it: the first T, the last
// λT/μ, and all of them half the sum on average.
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

// Loss returns which share of the orders that arrive during the overload is refused, when no more than places can wait.
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
