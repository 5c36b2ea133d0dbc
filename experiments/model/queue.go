package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Most workers and places that the queue formulas are computed for.
const (
	mostWorkers = 10_000
	mostPlaces  = 1_000_000
)

// Load is the arrivals at one queue and the workers that serve it.
type Load struct {
	Arrivals float64       // per second
	Service  time.Duration // mean time that an order keeps a worker
	Workers  int
}

// Queue is a queue in its steady state.
type Queue struct {
	Utilization     float64       // the share of time that a worker is busy
	WaitProbability float64       // that an order finds all workers busy; of an order that is not refused
	Wait            time.Duration // mean, before service starts
	Response        time.Duration // mean, service included
	Queued          float64       // mean number that wait
	InSystem        float64       // mean number that wait or are served
	Loss            float64       // share that is refused
	Throughput      float64       // served per second
}

// Offered returns the mean number of workers that the load keeps busy, λS (in Erlang).
func (l Load) Offered() float64 { return l.Arrivals * l.Service.Seconds() }

// Utilization returns λS/N: the share of time that a worker is busy when nothing is refused.
func (l Load) Utilization() float64 { return l.Offered() / float64(l.Workers) }

// MM1 predicts a queue of one worker with Poisson arrivals and exponential services: wait ρS/(1−ρ).
//
// Source: Kleinrock, Queueing Systems 1, 1975, section 3.2. Limits: utilization below 1, steady state; a run reaches it only if
// it is far longer than S/(1−ρ)².
func MM1(l Load) (Queue, error) {
	if l.Workers != 1 {
		return Queue{}, fmt.Errorf("%d workers: M/M/1 has one; use MMN", l.Workers)
	}
	return MMN(l)
}

// MMN predicts a queue of N workers with Poisson arrivals and exponential services (Erlang C).
//
// Source: Erlang 1917; Kleinrock 1975, section 3.5; the probability by the recursion of Erlang B (Cooper, Introduction to
// Queueing Theory, 1981, section 3.3), which does not overflow. Limits: as MM1; at most 10,000 workers.
func MMN(l Load) (Queue, error) {
	if err := l.checkStable(); err != nil {
		return Queue{}, err
	}
	rho := l.Utilization()
	blocked := erlangB(l.Offered(), l.Workers)
	waits := blocked / (1 - rho*(1-blocked))
	return l.steady(waits, waits*rho/(1-rho))
}

// MMNWaitBeyond returns the probability that an order waits longer than t in the queue of MMN: C·exp(−(Nμ−λ)t). Source: Cooper
// 1981, section 3.4; first come, first served. Limits: as MMN.
func MMNWaitBeyond(l Load, t time.Duration) (float64, error) {
	q, err := MMN(l)
	if err = errors.Join(err, notNegative("the time in seconds", t.Seconds())); err != nil {
		return 0, err
	}
	spare := float64(l.Workers)/l.Service.Seconds() - l.Arrivals
	return q.WaitProbability * math.Exp(-spare*t.Seconds()), nil
}

// MMNK predicts a queue of N workers and a limited number of waiting places. An order that finds all places taken is refused. With no places it is
// Erlang's loss system. The response and the wait are those of orders that are not refused.
//
// Source: Gross and Harris, Fundamentals of Queueing Theory, 1998, section 2.5 (there K = N + places). Limits: Poisson arrivals,
// exponential services, steady state, any utilization; at most 10,000 workers and 1,000,000 places.
func MMNK(l Load, places int) (Queue, error) {
	if err := errors.Join(l.check(), between("places", places, 0, mostPlaces)); err != nil {
		return Queue{}, err
	}
	// Probabilities relative to those of up to N in the system together, which are 1: p(N) = B, and p(N+i) = B·ρⁱ.
	rho := l.Utilization()
	blocked := erlangB(l.Offered(), l.Workers)
	full, waiting, queued := blocked, blocked, 0.0 // p(N+i), Σ p(N+i), Σ i·p(N+i)
	for i := 1; i <= places; i++ {
		full *= rho
		waiting += full
		queued += float64(i) * full
	}
	all := 1 + waiting - blocked
	if math.IsInf(waiting, 0) || math.IsInf(queued, 0) {
		return Queue{}, fmt.Errorf("utilization %.3g with %d places is out of range: the queue is always full, and the loss is 1 − 1/utilization", rho, places)
	}
	loss := full / all
	served := l
	served.Arrivals *= 1 - loss
	return served.withLoss(loss, (waiting-full)/all/(1-loss), queued/all)
}

// withLoss completes a queue that refuses a share of the arrivals; l holds those that are served.
func (l Load) withLoss(loss, waits, queued float64) (Queue, error) {
	q, err := l.steady(waits, queued)
	q.Loss = loss
	return q, err
}

// steady completes a queue by Little's law.
func (l Load) steady(waits, queued float64) (Queue, error) {
	wait, err := span(queued / l.Arrivals)
	return Queue{
		Utilization: l.Utilization(), WaitProbability: waits, Wait: wait, Response: wait + l.Service,
		Queued: queued, InSystem: queued + l.Offered(), Throughput: l.Arrivals,
	}, err
}

// erlangB is the probability that all of n workers are busy where nobody waits: by recursion over the number of workers.
func erlangB(offered float64, n int) float64 {
	b := 1.0
	for i := 1; i <= n; i++ {
		b = offered * b / (float64(i) + offered*b)
	}
	return b
}

func (l Load) check() error {
	return errors.Join(positive("arrivals per second", l.Arrivals), positive("the service time in seconds", l.Service.Seconds()),
		between("workers", l.Workers, 1, mostWorkers))
}

func (l Load) checkStable() error {
	if err := l.check(); err != nil {
		return err
	}
	if rho := l.Utilization(); rho >= 1 {
		return fmt.Errorf("utilization is %.3g: from 1 on the queue grows without bound; use Overload", rho)
	}
	return nil
}
