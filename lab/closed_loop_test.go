package lab_test

import (
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
