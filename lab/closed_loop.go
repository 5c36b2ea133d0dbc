package lab

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// turn is an order that a client is to place next.
type turn struct {
	form   services.Form
	number int
}

// offerClosed lets a number of clients place all orders, in the same turns as an open loop does. Each has one order at a time, and when it has the
// answer, or has waited for its time, it thinks for a while and places its next one: a system that stalls gets less load, so what the stall costs
// those who would have come meanwhile is not seen. An order is intended to begin when its client is free and has thought, so response is the caller
// wait.
//
// Clients think before their first order, too, the first one for a part of the time and the last one for all of it: they do not begin as a burst,
// and the time of the load is that of its orders and all of their thinking.
func (l load) offerClosed(ctx context.Context) (placed int, g rundir.Generator, err error) {
	turns, over := make(chan turn), make(chan struct{})
	var clients sync.WaitGroup
	var failed firstError
	begin := time.Now()
	if l.begun != nil {
		l.exp.Start = begin
		l.begun(begin)
	}
	for i := range l.clients {
		clients.Go(func() {
			for thinking := l.think * time.Duration(i+1) / time.Duration(l.clients); l.thinks(thinking, over); thinking = l.think {
				t, ok := <-turns
				if !ok {
					return
				}
				o, err := l.one(ctx, t.form, t.number, time.Now())
				failed.keep(err)
				l.answered(o)
			}
		})
	}
placing:
	for number := range l.orders {
		for _, form := range l.round(number) {
			select {
			case turns <- turn{form, number}:
				placed++
			case <-l.stop:
				break placing
			case <-ctx.Done():
				break placing
			}
		}
	}
	close(over)
	close(turns)
	clients.Wait()
	if ctx.Err() != nil {
		failed.keep(fmt.Errorf("stopped while placing %s: %w", unitOf(l.flow).many(), context.Cause(ctx)))
	}
	return placed, rundir.Generator{Clients: l.clients, Rate: perSecond(placed, time.Since(begin))}, failed.err
}

// thinks waits, and returns false when no more orders are to be placed.
func (l load) thinks(during time.Duration, over <-chan struct{}) bool {
	if during == 0 {
		return true
	}
	timer := time.NewTimer(during)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}

// perSecond is how many things a second there were.
func perSecond(n int, during time.Duration) float64 {
	if during <= 0 {
		return 0
	}
	return float64(n) / during.Seconds()
}

// loop says in words how the load was offered.
func (r *Result) loop() string {
	if r.Clients == 0 {
		return fmt.Sprintf("at %g %s/s", r.Rate, r.unit().many())
	}
	thinks := ""
	if r.ThinkMS > 0 {
		thinks = fmt.Sprintf(" and has thought for %v", time.Duration(r.ThinkMS*float64(time.Millisecond)))
	}
	return fmt.Sprintf("by %s, each of which places its next %s when it has its answer%s", count(r.Clients, "client", "clients"), r.unit(), thinks)
}

// closedLoopWords says what the figures of a closed loop are.
func closedLoopWords(g rundir.Generator, u unitWord) string {
	return fmt.Sprintf("Generator: %s in a closed loop placed %.3g %s/s. There are no intended start times and no start lag: response is the caller wait, and a stall lowers the load",
		count(g.Clients, "client", "clients"), g.Rate, u.many())
}
