package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// MGN predicts a queue with Poisson arrivals and services of any distribution. See GGN.
func MGN(l Load, serviceCV float64) (Queue, error) { return GGN(l, 1, serviceCV) }

// GGN predicts a queue whose arrivals and services have given coefficients of variation (standard deviation by mean; 1 is
// exponential, 0 is constant): the wait of MMN times (cₐ²+cₛ²)/2.
//
// Source: Allen and Cunneen (Allen, Probability, Statistics and Queueing Theory, 1990, section 5.4). Limits: as MMN; an
// approximation, exact for M/M/N and for M/G/1 (Pollaczek and Khinchine). Against the simulation, with Poisson arrivals and
// log-normal services, its error is below 12.5 % at utilizations from 0.7 to 0.95 with up to 8 workers. Evenly spaced arrivals, which
// the lab's generator makes, queue far less than it predicts: a third at utilization 0.8. So arrivals with a coefficient below 0.5 are
// refused at utilizations below 0.9; from there on it predicts up to 1.6 times too much. Coefficients above 2 are refused, too.
func GGN(l Load, arrivalCV, serviceCV float64) (Queue, error) {
	if err := errors.Join(l.checkStable(), variation("arrivals", arrivalCV), variation("services", serviceCV)); err != nil {
		return Queue{}, err
	}
	if rho := l.Utilization(); arrivalCV < 0.5 && rho < 0.9 {
		return Queue{}, fmt.Errorf("arrivals with a coefficient of variation of %g at utilization %.3g queue far less than the approximation says: simulate", arrivalCV, rho)
	}
	q, err := MMN(l)
	if err != nil {
		return Queue{}, err
	}
	return l.steady(q.WaitProbability, q.Queued*(arrivalCV*arrivalCV+serviceCV*serviceCV)/2)
}

// LogNormalCV returns the coefficient of variation of a log-normal cost with a spread (the standard deviation of its logarithm):
// √(exp(spread²)−1). Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, 1994, chapter 14.
func LogNormalCV(spread float64) (float64, error) {
	if err := notNegative("the spread", spread); err != nil {
		return 0, err
	}
	return math.Sqrt(math.Expm1(spread * spread)), nil
}

// MixedService returns the mean and the coefficient of variation of a service time with the given ones, to which added is added for a share of
// the orders. Source: the moments of a mixture. Limits: share between 0 and 1.
func MixedService(mean time.Duration, cv float64, added time.Duration, share float64) (time.Duration, float64, error) {
	err := errors.Join(positive("the mean in seconds", mean.Seconds()), notNegative("the coefficient of variation", cv),
		notNegative("what is added in seconds", added.Seconds()), probability("the share", share))
	if err != nil {
		return 0, 0, err
	}
	m, a := mean.Seconds(), added.Seconds()
	mixed := m + share*a
	variance := cv*cv*m*m + share*(1-share)*a*a
	d, err := span(mixed)
	return d, math.Sqrt(variance) / mixed, err
}

// variation refuses a coefficient of variation that is negative or above 2.
func variation(of string, cv float64) error {
	name := "the coefficient of variation of " + of
	if err := notNegative(name, cv); err != nil {
		return err
	}
	if cv > 2 {
		return errors.New(name + " is above 2: the approximation is not known to hold there; simulate")
	}
	return nil
}
