package flows

import (
	"math"
	"math/rand/v2"
	"time"
)

// Cost is what a step's own work takes, apart from everything that leads to it: of the step, never of the form, so that forms differ in
// their carriers alone.
type Cost struct {
	Wait   time.Duration // median of the waiting: a database, a bank
	CPU    int           // median of the CPU time, in rounds of SHA-256 over 1 KiB (about a microsecond each)
	Spread float64       // standard deviation of the cost's logarithm
	// Quantiles are the p50, p90 and p99 of the waiting, when the file gives them in the place of a median and a spread; else nil.
	Quantiles []time.Duration
}

// DefaultSpread is the spread of a cost whose row says nothing: nine in ten draws lie between 0.7 and 1.5 medians.
const DefaultSpread = 0.22

// normal quantiles that a cost's p90 and p99 stand at.
const z90, z99 = 1.2815515655446004, 2.3263478740408408

// Draw returns one cost, rounds being of SHA-256 over 1 KiB. The waiting is drawn first.
func (c Cost) Draw(from *rand.Rand) (wait time.Duration, rounds int) {
	z := from.NormFloat64()
	wait = c.waitAt(z).Round(time.Microsecond)
	return wait, int(float64(c.CPU) * math.Exp(c.Spread*from.NormFloat64()))
}

// waitAt is the waiting at a quantile of the standard normal distribution. Between given quantiles the logarithm is a straight line.
func (c Cost) waitAt(z float64) time.Duration {
	if len(c.Quantiles) == 0 {
		return time.Duration(float64(c.Wait) * math.Exp(c.Spread*z))
	}
	p50, p90, p99 := math.Log(float64(c.Quantiles[0])), math.Log(float64(c.Quantiles[1])), math.Log(float64(c.Quantiles[2]))
	low := (p90 - p50) / z90
	at := p50 + low*z
	if z > z90 {
		at = p90 + (p99-p90)/(z99-z90)*(min(z, 2*z99)-z90)
	}
	return time.Duration(math.Exp(at))
}
