package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// PeakWorkers returns how many workers keep waits short at a peak: λS + β√(λS), rounded up. With β = 1 about a quarter of the
// orders wait, with β = 2 about one in forty.
//
// Source: square-root staffing (Halfin and Whitt, Heavy-Traffic Limits for Queues with Many Exponential Servers, 1981). Limits:
// Poisson arrivals, a peak that is long compared to S. The approximation is at most one worker off from λS = 1 on; below that it
// is refused.
func PeakWorkers(arrivals float64, service time.Duration, beta float64) (int, error) {
	offered := arrivals * service.Seconds()
	if err := errors.Join(positive("arrivals per second", arrivals), positive("the service time in seconds", service.Seconds()),
		positive("beta", beta)); err != nil {
		return 0, err
	}
	if offered < 1 || offered > mostWorkers/2 {
		return 0, fmt.Errorf("%.3g workers are busy on average: the rule holds from 1 to %d; use MMN", offered, mostWorkers/2)
	}
	return int(math.Ceil(offered + beta*math.Sqrt(offered))), nil
}

// PeakWaitProbability returns the share of orders that wait with the staffing of PeakWorkers: 1/(1+β·Φ(β)/φ(β)). Source: Halfin
// and Whitt 1981, theorem 1. Limits: the limit of many workers.
func PeakWaitProbability(beta float64) (float64, error) {
	if err := positive("beta", beta); err != nil {
		return 0, err
	}
	density := math.Exp(-beta*beta/2) / math.Sqrt(2*math.Pi)
	below := math.Erfc(-beta/math.Sqrt2) / 2
	return 1 / (1 + beta*below/density), nil
}

// BacklogWorkers returns how many workers limit the wait of an overload's last order to wait, when orders may queue and
// the load after the overload is lower: the smallest N with (λ/Nμ−1)·T ≤ wait, and N above the mean load. This is how a queue trades workers for
// waiting.
//
// Source: Overload.Wait solved for the capacity. Limits: as Overload; the mean load must leave the workers some slack.
func BacklogWorkers(peak Overload, mean float64, service, wait time.Duration) (int, error) {
	err := errors.Join(peak.check(), positive("arrivals per second", peak.Arrivals), notNegative("the mean arrivals per second", mean),
		positive("the service time in seconds", service.Seconds()), notNegative("the wait in seconds", wait.Seconds()))
	if err != nil {
		return 0, err
	}
	forPeak := peak.Arrivals * service.Seconds() / (1 + wait.Seconds()/peak.Lasts.Seconds())
	forMean := math.Floor(mean*service.Seconds()) + 1
	n := max(math.Ceil(forPeak), forMean)
	if n > mostWorkers {
		return 0, fmt.Errorf("%g workers would be needed: the rule is computed up to %d", n, mostWorkers)
	}
	return int(n), nil
}
