package simulation

import (
	"math"
	"math/rand/v2"
	"time"
)

// What is drawn has a stream of its own for each seed, so that one more draw of arrivals does not change the costs.
const (
	arrivalStream = iota + 1
	costStream
	hitStream
	partitionStream
)

func stream(seed uint64, of uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, of)) }

// MostOrders is the largest number of orders that is drawn.
const MostOrders = 10_000_000

// several makes room for n draws; none when n is below 0 or above MostOrders, so that a simulation of orders with costs refuses what is left.
func several[T any](n int) []T {
	if n < 0 || n > MostOrders {
		return nil
	}
	return make([]T, n)
}

// Evenly returns n arrivals at a rate per second, as the lab's generator places orders.
func Evenly(perSecond float64, n int) []time.Duration {
	at := several[time.Duration](n)
	for i := range at {
		at[i] = seconds(float64(i) / perSecond)
	}
	return at
}

// Surge returns arrivals at a rate per second for a time before, at times that rate for a time, and at the rate again for a time
// after.
func Surge(perSecond, times float64, before, during, after time.Duration) []time.Duration {
	var at []time.Duration
	start := time.Duration(0)
	for _, phase := range []struct {
		rate  float64
		lasts time.Duration
	}{{perSecond, before}, {perSecond * times, during}, {perSecond, after}} {
		for _, t := range Evenly(phase.rate, ordersIn(phase.rate, phase.lasts)) {
			at = append(at, plus(start, t))
		}
		start = plus(start, phase.lasts)
	}
	return at
}

// ordersIn is how many orders arrive in a time, -1 for more than can be drawn.
func ordersIn(perSecond float64, lasts time.Duration) int {
	if n := math.Round(perSecond * lasts.Seconds()); n >= 0 && n <= MostOrders {
		return int(n)
	}
	return -1
}

// Poisson returns n arrivals with exponential times between them, at a rate per second.
func Poisson(seed uint64, perSecond float64, n int) []time.Duration {
	r := stream(seed, arrivalStream)
	at := several[time.Duration](n)
	var now float64
	for i := range at {
		now += r.ExpFloat64() / perSecond
		at[i] = seconds(now)
	}
	return at
}

// Exponential returns n exponential costs.
func Exponential(seed uint64, mean time.Duration, n int) []time.Duration {
	r := stream(seed, costStream)
	costs := several[time.Duration](n)
	for i := range costs {
		costs[i] = seconds(r.ExpFloat64() * mean.Seconds())
	}
	return costs
}

// LogNormal returns n log-normal costs with a median and a spread, the standard deviation of the logarithm.
func LogNormal(seed uint64, median time.Duration, spread float64, n int) []time.Duration {
	r := stream(seed, costStream)
	costs := several[time.Duration](n)
	for i := range costs {
		costs[i] = seconds(math.Exp(r.NormFloat64()*spread) * median.Seconds())
	}
	return costs
}

// block is over how many orders a share of hits is exact.
const block = 20

// Hits draws which of n orders a share hits: exactly that share of every block of 20 orders, rounded.
func Hits(seed uint64, share float64, n int) []bool {
	r := stream(seed, hitStream)
	hits := several[bool](n)
	if math.IsNaN(share) {
		share = 0
	}
	for from := 0; from < len(hits); from += block {
		size := min(block, len(hits)-from)
		for _, i := range r.Perm(size)[:int(math.Round(min(1, max(0, share))*float64(size)))] {
			hits[from+i] = true
		}
	}
	return hits
}

// seconds makes a duration of seconds: Forever of what is longer, and of no number.
func seconds(s float64) time.Duration {
	ns := math.Round(s * float64(time.Second))
	switch {
	case ns <= math.MinInt64:
		return math.MinInt64
	case ns < math.MaxInt64:
		return time.Duration(ns)
	}
	return Forever
}
