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

// Evenly returns n arrivals at a rate per second, as the lab's generator places orders.
func Evenly(perSecond float64, n int) []time.Duration {
	at := make([]time.Duration, n)
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
		for _, t := range Evenly(phase.rate, int(math.Round(phase.rate*phase.lasts.Seconds()))) {
			at = append(at, start+t)
		}
		start += phase.lasts
	}
	return at
}

// Poisson returns n arrivals with exponential times between them, at a rate per second.
func Poisson(seed uint64, perSecond float64, n int) []time.Duration {
	r := stream(seed, arrivalStream)
	at := make([]time.Duration, n)
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
	costs := make([]time.Duration, n)
	for i := range costs {
		costs[i] = seconds(r.ExpFloat64() * mean.Seconds())
	}
	return costs
}

// LogNormal returns n log-normal costs with a median and a spread, the standard deviation of the logarithm.
func LogNormal(seed uint64, median time.Duration, spread float64, n int) []time.Duration {
	r := stream(seed, costStream)
	costs := make([]time.Duration, n)
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
	hits := make([]bool, n)
	for from := 0; from < n; from += block {
		size := min(block, n-from)
		for _, i := range r.Perm(size)[:int(math.Round(min(1, max(0, share))*float64(size)))] {
			hits[from+i] = true
		}
	}
	return hits
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
