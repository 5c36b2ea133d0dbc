package lab

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// order is one order that was placed.
type order struct {
	rundir.Order
	span string // the client's span, with which the order's journey begins
}

// Generator is how well the load was generated.
type Generator struct {
	Rate        float64 `json:"rate"` // orders/s that were intended
	StartLagP50 float64 `json:"start_lag_p50_ms"`
	StartLagP99 float64 `json:"start_lag_p99_ms"`
	StartLagMax float64 `json:"start_lag_max_ms"`
}

// lateStart is the start lag at p99, in milliseconds, above which a latency is the generator's.
const lateStart = 2

// Late tells whether the generator started so late that its latencies are its own.
func (g Generator) Late() bool { return g.StartLagP99 > lateStart }

// load places orders at intended start times that do not depend on any answer (an open loop): a system that stalls
// delays answers, never the next order, and what it costs is seen.
type load struct {
	client *client
	run    string
	exp    services.Experiment // but for form and number
	forms  []services.Form
	orders int     // of each form
	rate   float64 // orders/s over all forms
	placed func(done int)
}

// offer places all orders and returns when each has its answer or has waited for its time. The forms take turns order
// by order, in an order that the seed shuffles anew in each round, so that nothing that drifts favours one of them.
func (l load) offer(ctx context.Context) ([]order, Generator, error) {
	lags := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	results := make([]order, l.orders*len(l.forms))
	errs := make([]error, len(results))
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, i := 0, 0
	begin := time.Now().Add(time.Millisecond)
	for number := range l.orders {
		for _, form := range l.round(number) {
			intended := begin.Add(time.Duration(float64(i) / l.rate * float64(time.Second)))
			if err := sleepUntil(ctx, intended); err != nil {
				wg.Wait()
				return results[:i], generatorOf(l.rate, lags), err
			}
			lag := time.Since(intended)
			// Out of range is a minute and more: the histogram keeps its largest value.
			_ = lags.RecordValue(min(max(1, lag.Microseconds()), lags.HighestTrackableValue()))
			at := i
			wg.Go(func() {
				results[at], errs[at] = l.one(ctx, form, number, intended)
				mu.Lock()
				defer mu.Unlock()
				done++
				l.placed(done)
			})
			i++
		}
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return results, generatorOf(l.rate, lags), err
		}
	}
	return results, generatorOf(l.rate, lags), nil
}

// round is the order of the forms for one order number.
func (l load) round(number int) []services.Form {
	forms := slices.Clone(l.forms)
	services.Experiment{Seed: l.exp.Seed, Number: number}.Draw("round").Shuffle(len(forms), func(i, j int) { forms[i], forms[j] = forms[j], forms[i] })
	return forms
}

// one places one order.
func (l load) one(ctx context.Context, form services.Form, number int, intended time.Time) (order, error) {
	e := l.exp
	e.Run, e.Form, e.Number = l.run, form, number
	start := time.Now()
	a, err := l.client.place(ctx, e, PlacementOf(e.Seed, number))
	end := time.Now()
	return order{Order: rundir.Order{
		Form: string(form), Number: number, ID: a.ID, Intended: intended.UTC(), StartLag: start.Sub(intended).Nanoseconds(),
		Response: end.Sub(intended).Nanoseconds(), CallerWait: end.Sub(start).Nanoseconds(),
		Status: a.Status, Error: a.Error, Trace: a.Root.TraceID().String(),
	}, span: a.Root.SpanID().String()}, err
}

// PlacementOf is the order that a seed and a number stand for: the same in every form. All of them are in stock.
func PlacementOf(seed uint64, number int) services.Placement {
	draw := services.Experiment{Seed: seed, Number: number}.Draw("placement")
	items := services.Catalogue()
	item := items[draw.IntN(len(items))]
	return services.Placement{
		Customer: fmt.Sprintf("customer-%d", 1+draw.IntN(500)), SKU: item.SKU, Quantity: int64(1 + draw.IntN(int(min(item.Shelf, 5)))),
	}
}

func generatorOf(rate float64, lags *hdrhistogram.Histogram) Generator {
	ms := func(q float64) float64 { return float64(lags.ValueAtQuantile(q)) / 1000 }
	return Generator{Rate: rate, StartLagP50: ms(50), StartLagP99: ms(99), StartLagMax: float64(lags.Max()) / 1000}
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopped while placing orders: %w", context.Cause(ctx))
	}
}
