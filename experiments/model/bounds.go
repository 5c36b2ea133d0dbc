package model

import (
	"errors"
	"math"
	"time"
)

// Station is a resource that every order visits.
type Station struct {
	Service time.Duration // how long an order keeps a worker busy
	Workers int
}

// Capacity returns the maximum rate of a station, per second: N/S.
//
// Source: the utilization law (Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978). Limits: the
// service time does not depend on the load.
func (s Station) Capacity() (float64, error) {
	if err := errors.Join(positive("the service time in seconds", s.Service.Seconds()), between("workers", s.Workers, 1, mostWorkers)); err != nil {
		return 0, err
	}
	return float64(s.Workers) / s.Service.Seconds(), nil
}

// ClosedLoop returns the rate of N callers that each wait for an answer (W) and then think (Z): N/(W+Z). It is exact for the measured mean
// wait, and an upper bound for the wait of an idle system.
//
// Source: the interactive response time law (Denning and Buzen 1978). Limits: at least one caller; wait and thinking not both 0.
func ClosedLoop(callers int, wait, thinking time.Duration) (float64, error) {
	err := errors.Join(between("callers", callers, 1, math.MaxInt32), notNegative("the wait in seconds", wait.Seconds()),
		notNegative("the thinking in seconds", thinking.Seconds()))
	if err = errors.Join(err, positive("wait and thinking together in seconds", (wait+thinking).Seconds())); err != nil {
		return 0, err
	}
	return float64(callers) / (wait + thinking).Seconds(), nil
}

// ThroughputBound returns the maximum rate of a closed loop through stations: the smaller of ClosedLoop with the idle wait and the
// smallest capacity. The knee of the curve is where both are equal.
//
// Source: asymptotic bounds (Lazowska and others, Quantitative System Performance, 1984, section 5.2). Limits: as ClosedLoop.
func ThroughputBound(callers int, idleWait, thinking time.Duration, stations ...Station) (float64, error) {
	bound, err := ClosedLoop(callers, idleWait, thinking)
	if err != nil {
		return 0, err
	}
	for _, s := range stations {
		capacity, err := s.Capacity()
		if err != nil {
			return 0, err
		}
		bound = min(bound, capacity)
	}
	return bound, nil
}

// Little returns the mean number of orders in a queue or a system, from the rate through it and the mean time in it: L = λW. For a topic:
// lag = rate × queue wait.
//
// Source: Little, A Proof for the Queuing Formula L = λW, 1961. Limits: averages over a time in which as many leave as arrive.
func Little(perSecond float64, in time.Duration) (float64, error) {
	err := errors.Join(notNegative("the rate per second", perSecond), notNegative("the time in seconds", in.Seconds()))
	return perSecond * in.Seconds(), err
}
