package lab

import (
	"context"
	"fmt"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tracelab/lab/rundir"
)

// onTimeWords says whether the generator was on time, and up to which rate it is.
func onTimeWords(g rundir.Generator, u unitWord) string {
	switch {
	case g.Late():
		return "it is late at this rate; " + rateAdvice(g, u)
	case g.Higher == 0:
		return "it is on time at this rate"
	case g.LateAt == 0:
		return fmt.Sprintf("it is on time at this rate, and still at %g %s/s, the highest that was tried", g.OnTime, u.many())
	case g.OnTime == g.Rate:
		return fmt.Sprintf("it is on time at this rate, and late at %g %s/s", g.LateAt, u.many())
	}
	return fmt.Sprintf("it is on time at this rate, and still at %g %s/s; late at %g", g.OnTime, u.many(), g.LateAt)
}

// rateAdvice says which rate to use instead.
func rateAdvice(g rundir.Generator, u unitWord) string {
	switch {
	case g.OnTime > 0:
		return fmt.Sprintf("it starts on time at %g %s/s: use --rate %[1]g", g.OnTime, u.many())
	case g.Tried > 0:
		return fmt.Sprintf("it was late at %g %s/s, too: use a machine that has time, or a lower --rate", g.Tried, u.many())
	}
	return "use a lower --rate"
}

func generatorOf(rate float64, lags *hdrhistogram.Histogram) rundir.Generator {
	ms := func(q float64) float64 { return float64(lags.ValueAtQuantile(q)) / 1000 }
	g := rundir.Generator{Rate: rate, StartLagP50: ms(50), StartLagP99: ms(99), StartLagMax: float64(lags.Max()) / 1000}
	if !g.Late() {
		g.OnTime = rate
	}
	return g
}

const (
	// rateTrySeconds is how long a lower rate is tried after a late run, rateSearchSeconds how long all of them take at the
	// most.
	rateTrySeconds, rateSearchSeconds = 0.5, 1.5
	// higherTrySeconds is how long a higher rate is tried after a run that was on time, higherTries how many are tried.
	higherTrySeconds, higherTries = 0.2, 3
	// highestTry is the highest rate that is tried, in orders/s: what lies beyond it shows how one machine is overloaded.
	highestTry = 1000
	// fewestOrders of a try give a p99 that is one.
	fewestOrders = 20
)

// findRate looks for the highest rate at which the generator starts on time: it offers short loads at lower or higher
// rates, which are left out of everything. Who wants no warm-up wants no such orders either.
func (r *running) findRate(ctx context.Context) error {
	switch {
	case r.endedEarly() || r.OneRate || r.WarmUp == 0 || r.Clients > 0 || len(r.happened)+len(r.Links) > 0 || r.Surge != Surge{}:
		return nil
	case r.generator.Late():
		return r.findLowerRate(ctx)
	case r.Target == "" && r.placed >= fewestOrders && !r.pending(): // services elsewhere get no more load than was asked for
		return r.findHigherRate(ctx)
	}
	return nil
}

// pending tells whether orders are pending when the run is over: those of a try would wait in vain, too.
func (r *running) pending() bool {
	for _, a := range r.after.Forms {
		if a.Pending > 0 {
			return true
		}
	}
	return false
}

// findLowerRate tries half of the run's rate, and half of that, until the generator is on time.
func (r *running) findLowerRate(ctx context.Context) error {
	r.Progress(Progress{Stage: "looking for a rate that can be kept", Answered: r.placed, Orders: r.placed})
	took := 0.0
	for try := 1; ; try++ {
		rate := r.Rate / math.Pow(2, float64(try))
		orders := r.ordersToTry(rate, rateTrySeconds)
		if took += float64(orders*len(r.Forms)) / rate; took > rateSearchSeconds {
			return nil
		}
		late, err := r.tryRate(ctx, rate, orders)
		if err != nil {
			return err
		}
		r.generator.Tried = rate
		if !late {
			r.generator.OnTime = rate
			return nil
		}
	}
}

// findHigherRate tries twice the run's rate, and twice that, until the generator is late.
func (r *running) findHigherRate(ctx context.Context) error {
	r.Progress(Progress{Stage: "looking for the highest rate that can be kept", Answered: r.placed, Orders: r.placed})
	for try := 1; try <= higherTries; try++ {
		rate := r.Rate * math.Pow(2, float64(try))
		if rate > highestTry {
			return nil
		}
		late, err := r.tryRate(ctx, rate, r.ordersToTry(rate, higherTrySeconds))
		if err != nil {
			return err
		}
		r.generator.Higher = rate
		if late {
			r.generator.LateAt = rate
			return nil
		}
		r.generator.OnTime = rate
	}
	return nil
}

// ordersToTry is how many orders of each form fill a time at a rate.
func (r *running) ordersToTry(rate, seconds float64) int {
	return max(1, max(fewestOrders, int(rate*seconds))/len(r.Forms))
}

// tryRate offers orders at a rate and tells whether the generator was late.
func (r *running) tryRate(ctx context.Context, rate float64, orders int) (late bool, err error) {
	run := fmt.Sprintf("%s-rate-%g", r.name, rate)
	l := r.load(run, orders, func(order) {})
	l.rate = rate
	_, g, err := l.offer(ctx)
	if err != nil {
		return false, err
	}
	settling, cancel := context.WithTimeout(ctx, r.Deadline)
	defer cancel()
	r.settle(settling, run)
	return g.Late(), nil
}
