package lab

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tracelab/journey"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// order is one order that was placed.
type order struct {
	rundir.Order
	root journey.Ref // the client's span, with which the order's journey begins
}

// load places orders at intended start times that do not depend on any answer (an open loop): a system that stalls
// delays answers, never the next order, and what it costs is seen.
type load struct {
	client   *client
	flow     *flows.Flow
	run      string
	begun    func(at time.Time)  // is told when the run begins, whose time faults and events count; nil for a load that is none of it
	exp      services.Experiment // but for form and number
	forms    []services.Form
	orders   int             // of each form
	reads    []time.Duration // see Config.ReadAfter
	rate     float64         // orders/s over all forms
	surge    Surge           // of that rate
	clients  int             // of a closed loop, see offerClosed; 0: an open one
	think    time.Duration   // of a client of a closed loop, before each order
	stop     <-chan struct{} // closed: no more orders are placed; may be nil
	answered func(order)     // is told of each order that has its answer, or has waited for its time
}

// offer places all orders and returns when each has its answer or has waited for its time. The forms take turns order
// by order, in an order that the seed shuffles anew in each round, so that nothing that drifts favours one of them. It
// returns how many orders were placed.
func (l load) offer(ctx context.Context) (placed int, g rundir.Generator, err error) {
	if l.clients > 0 {
		return l.offerClosed(ctx)
	}
	lags := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	var orders sync.WaitGroup
	var failed firstError
	begin := time.Now().Add(time.Millisecond)
	if l.begun != nil {
		l.exp.Start = begin
		l.begun(begin)
	}
placing:
	for number := range l.orders {
		for _, form := range l.round(number) {
			intended := begin.Add(l.surge.due(placed, l.rate))
			if !l.sleepUntil(ctx, intended) {
				break placing
			}
			lag := time.Since(intended)
			// Out of range is a minute and more: the histogram keeps its largest value.
			_ = lags.RecordValue(min(max(1, lag.Microseconds()), lags.HighestTrackableValue()))
			orders.Go(func() {
				o, err := l.one(ctx, form, number, intended)
				failed.keep(err)
				o.Reads = l.read(ctx, o.Order)
				l.answered(o)
			})
			placed++
		}
	}
	orders.Wait()
	if ctx.Err() != nil {
		failed.keep(fmt.Errorf("stopped while placing %s: %w", unitOf(l.flow).many(), context.Cause(ctx)))
	}
	return placed, generatorOf(l.rate, lags), failed.err
}

// firstError keeps the first of the errors that many goroutines meet.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) keep(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// sleepUntil returns false when no more orders are to be placed.
func (l load) sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.stop:
	case <-ctx.Done():
	}
	return false
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
	a, err := l.client.place(ctx, e, PlacementOf(l.flow, e.Seed, number))
	end := time.Now()
	return order{Order: rundir.Order{
		Form: string(form), Number: number, ID: a.ID, Intended: intended.UTC(), StartLag: start.Sub(intended).Nanoseconds(),
		Response: end.Sub(intended).Nanoseconds(), CallerWait: end.Sub(start).Nanoseconds(),
		Status: a.Status, Error: a.Error,
	}, root: journey.Ref{Trace: journey.TraceID(a.Root.TraceID()), Span: journey.SpanID(a.Root.SpanID())}}, err
}

// PlacementOf is the order that a seed and a number stand for: the same in every form.
func PlacementOf(f *flows.Flow, seed uint64, number int) services.Placement {
	return f.DrawBody(services.Experiment{Seed: seed, Number: number}.Draw("placement"))
}
