package lab

import (
	"context"
	"fmt"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Generator is how well the load was generated.
type Generator struct {
	Rate        float64 `json:"rate"` // orders/s that were intended
	StartLagP50 float64 `json:"start_lag_p50_ms"`
	StartLagP99 float64 `json:"start_lag_p99_ms"`
	StartLagMax float64 `json:"start_lag_max_ms"`
	// OnTime is a rate at which the generator starts on time: that of the run, or a lower one that was tried after it; 0 when
	// it is late at each that was tried.
	OnTime float64 `json:"on_time_rate"`
	Tried  float64 `json:"lowest_rate_tried"` // when it was late
}

// lateStart is the start lag at p99, in milliseconds, above which a latency is the generator's.
const lateStart = 2

// Late tells whether the generator started so late that its latencies are its own.
func (g Generator) Late() bool { return g.StartLagP99 > lateStart }

// advice says which rate to use instead.
func (g Generator) advice() string {
	switch {
	case g.OnTime > 0:
		return fmt.Sprintf("it starts on time at %g orders/s: use --rate %[1]g", g.OnTime)
	case g.Tried > 0:
		return fmt.Sprintf("it was late at %g orders/s, too: use a machine that has time, or a lower --rate", g.Tried)
	}
	return "use a lower --rate"
}

func generatorOf(rate float64, lags *hdrhistogram.Histogram) Generator {
	ms := func(q float64) float64 { return float64(lags.ValueAtQuantile(q)) / 1000 }
	g := Generator{Rate: rate, StartLagP50: ms(50), StartLagP99: ms(99), StartLagMax: float64(lags.Max()) / 1000}
	if !g.Late() {
		g.OnTime = rate
	}
	return g
}

const (
	// rateTrySeconds is how long a lower rate is tried after a late run, rateSearchSeconds how long all of them take at the
	// most.
	rateTrySeconds, rateSearchSeconds = 0.5, 1.5
	// fewestOrders of a try give a p99 that is one.
	fewestOrders = 20
)

// findRate looks for a rate at which the generator starts on time, when it did not: it offers short loads at lower and
// lower rates, which are left out of everything. Who wants no warm-up wants no such orders either.
func (r *running) findRate(ctx context.Context) error {
	if !r.generator.Late() || r.endedEarly() || r.WarmUp == 0 {
		return nil
	}
	r.Progress(Progress{Stage: "looking for a rate that can be kept", Answered: r.placed, Orders: r.placed})
	took := 0.0
	for try := 1; ; try++ {
		rate := r.Rate / math.Pow(2, float64(try))
		run := fmt.Sprintf("%s-rate-%d", r.name, try)
		orders := max(1, max(fewestOrders, int(rate*rateTrySeconds))/len(r.Forms))
		if took += float64(orders*len(r.Forms)) / rate; took > rateSearchSeconds {
			return nil
		}
		l := r.load(run, orders, func(order) {})
		l.rate = rate
		_, g, err := l.offer(ctx)
		if err != nil {
			return err
		}
		settling, cancel := context.WithTimeout(ctx, r.Deadline)
		r.settle(settling, run)
		cancel()
		r.generator.Tried = rate
		if !g.Late() {
			r.generator.OnTime = rate
			return nil
		}
	}
}
