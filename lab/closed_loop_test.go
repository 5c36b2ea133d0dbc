package lab_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestAClosedLoop: a stall of a second delays the next orders of its clients, which then begin later and wait no longer; with a rate the orders
// that were due meanwhile are placed all the same.
func TestAClosedLoop(t *testing.T) {
	t.Parallel() // in virtual time
	for _, clients := range []int{0, 1, 3} {
		virtually(t, func(config *lab.Config) {
			config.Forms, config.Orders, config.WarmUp, config.Faults, config.Deadline = []services.Form{services.GRPC}, 6, 0, faults("payment:delay=1s@0.5"), 10*time.Second
			config.Timeout = 3 * time.Second
			config.Rate, config.Clients = 20, 0
			if clients > 0 {
				config.Rate, config.Clients = 0, clients
			}
		}, func(t *testing.T, result *lab.Result) {
			list := readOrders(t, result)
			together := 0 // at a time
			for _, a := range list {
				n := 0
				for _, b := range list {
					if end := b.Intended.Add(time.Duration(b.Response)); !b.Intended.After(a.Intended) && end.After(a.Intended) {
						n++
					}
				}
				together = max(together, n)
				if clients > 0 && (a.StartLag != 0 || a.Response != a.CallerWait) {
					t.Errorf("%d clients: start lag %d, response %d, caller wait %d: there is no intended start", clients, a.StartLag, a.Response, a.CallerWait)
				}
			}
			if clients > 0 && together != clients || clients == 0 && together < 3 {
				t.Errorf("%d clients: up to %d orders at a time", clients, together)
			}
			if !slices.IsSortedFunc(list, func(a, b rundir.Order) int { return a.Intended.Compare(b.Intended) }) || len(list) != 6 {
				t.Errorf("%d clients: %d orders", clients, len(list))
			}
			if result.Generator.Clients != clients || clients == 0 && result.Generator.Rate != 20 || clients > 0 && result.Generator.Rate > 10*float64(clients) {
				t.Errorf("%d clients: generator %+v", clients, result.Generator)
			}
		})
	}
}

// TestLittlesLaw: N clients that wait W for their answer and think for Z between place N/(W+Z) orders a second, with an early answer and without.
func TestLittlesLaw(t *testing.T) {
	t.Parallel() // in virtual time
	const think = 20 * time.Millisecond
	for clients, form := range map[int]services.Form{1: services.Kafka, 4: services.GRPC} {
		virtually(t, func(config *lab.Config) {
			config.Forms, config.Orders, config.WarmUp = []services.Form{form}, 24, 1
			config.Rate, config.Clients, config.Think = 0, clients, think
		}, func(t *testing.T, result *lab.Result) {
			waited := time.Duration(0)
			list := readOrders(t, result)
			for _, o := range list {
				waited += time.Duration(o.CallerWait)
			}
			want := float64(clients) / (waited/time.Duration(len(list)) + think).Seconds()
			if got := result.Generator.Rate; math.Abs(got/want-1) > 0.1 {
				t.Errorf("%s, %d clients: %.3g orders/s, want %.3g", form, clients, got, want)
			}
			if result.ThinkMS != 20 || result.Generator.OnTime != 0 {
				t.Errorf("thinks for %g ms, generator %+v", result.ThinkMS, result.Generator)
			}
			perOrder := result.Forms[form].SpanCount / len(list)
			if spare := int(result.Spans.Started) - result.Forms[form].SpanCount - result.Shared; spare > (result.WarmUp+1)*perOrder {
				t.Errorf("%s: %d spans beside those of the orders and %d of the warm-up: another load was tried", form, spare, result.WarmUp)
			}
		})
	}
}
