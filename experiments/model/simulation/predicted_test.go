package simulation_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"tracelab/experiments/model"
	"tracelab/experiments/model/simulation"
)

// What follows holds the figures that the claims call predicted, for the costs of the built-in flow: payment has a median of 18 ms.
const (
	payment = 18 * ms
	spread  = 0.22
	seeds   = 5
)

// everyone marks all orders.
func everyone(n int) []bool { return simulation.Hits(0, 1, n) }

// overSeeds returns the mean of a figure over seeds.
func overSeeds(t *testing.T, figure func(seed uint64) (float64, error)) float64 {
	t.Helper()
	var sum float64
	for seed := range uint64(seeds) {
		v, err := figure(seed)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum / seeds
}

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	t.Logf("%s: %.3f", what, got)
	if !(got >= low && got <= high) {
		t.Errorf("%s: %.3f, want %g to %g", what, got, low, high)
	}
}

// A payment that is slow for half of the orders delays the other half by about 470 ms.
func TestSlowServiceDelaysOrdersThatAreNotHit(t *testing.T) {
	const n = 200
	added := overSeeds(t, func(seed uint64) (float64, error) {
		hits := simulation.Hits(seed, 0.5, n)
		q := simulation.Queue{Arrivals: simulation.Evenly(100, n), Costs: simulation.LogNormal(seed, payment, spread, n), Workers: 8, Places: simulation.Unbounded}
		calm, err := q.Run()
		if err != nil {
			return 0, err
		}
		q.Fault = simulation.Slow(0, simulation.Forever, 200*ms, hits)
		slow, err := q.Run()
		var sum, of float64
		for i := range slow {
			if !hits[i] {
				sum += slow[i].Response() - calm[i].Response()
				of++
			}
		}
		return sum / of, err
	})
	within(t, "added to orders that are not hit, ms", added, 420, 520)
}

// Five times the load for a second: a queue of 32 refuses about 30 % of it, one without a bound nobody.
func TestSurge(t *testing.T) {
	run := func(workers, places int) func(uint64) ([]simulation.Order, error) {
		return func(seed uint64) ([]simulation.Order, error) {
			at := simulation.Surge(40, 5, time.Second, time.Second, 2*time.Second)
			return simulation.Queue{Arrivals: at, Costs: simulation.LogNormal(seed, payment, spread, len(at)), Workers: workers, Places: places}.Run()
		}
	}
	refused := overSeeds(t, func(seed uint64) (float64, error) {
		orders, err := run(2, 32)(seed)
		return simulation.Share(orders, time.Second, 2*time.Second, simulation.Failed), err
	})
	within(t, "refused of the surge, 32 places", refused, 0.25, 0.35)
	mean, _ := model.LogNormalMax(payment, spread, 1)
	capacity, _ := model.Station{Service: mean, Workers: 2}.Capacity()
	predicted, err := model.Overload{Arrivals: 200, Capacity: capacity, Lasts: time.Second}.Loss(32)
	if err != nil || math.Abs(predicted-refused) > 0.02 {
		t.Errorf("the fluid limit refuses %.3f (%v), the simulation %.3f", predicted, err, refused)
	}
	// Where each has its usual bound, calls need 4 workers for less than 1 % of errors, and messages 2 for a completion within a second.
	for _, c := range []struct {
		what           string
		workers        int
		places         int
		keeps          bool
		errors, slower float64
	}{
		{what: "calls", workers: 3, places: 32}, {what: "calls", workers: 4, places: 32, keeps: true},
		{what: "messages", workers: 1, places: simulation.Unbounded}, {what: "messages", workers: 2, places: simulation.Unbounded, keeps: true},
	} {
		failed := overSeeds(t, func(seed uint64) (float64, error) {
			orders, err := run(c.workers, c.places)(seed)
			return simulation.Share(orders, 0, simulation.Forever, simulation.Failed), err
		})
		late := overSeeds(t, func(seed uint64) (float64, error) {
			orders, err := run(c.workers, c.places)(seed)
			var responses []float64
			for _, o := range orders {
				if o.Outcome == simulation.Done {
					responses = append(responses, o.Response())
				}
			}
			slices.Sort(responses)
			return responses[len(responses)*99/100], err
		})
		t.Logf("%s, %d workers: %.4f failed, p99 %.0f ms", c.what, c.workers, failed, late)
		if (failed < 0.01 && late < 1000-60) != c.keeps { // 60 ms are the other steps'
			t.Errorf("%s with %d workers: %.4f failed, p99 %.0f ms; want the objective kept: %v", c.what, c.workers, failed, late, c.keeps)
		}
	}
}

// A stopped service leaves λT behind, and catches up in λT/(μ−λ).
func TestOutage(t *testing.T) {
	const n = 400
	at := simulation.Evenly(50, n)
	ended := overSeeds(t, func(seed uint64) (float64, error) {
		orders, err := simulation.Queue{Arrivals: at, Costs: simulation.LogNormal(seed, payment, spread, n), Workers: 2, Places: simulation.Unbounded, Fault: simulation.Stopped(2*time.Second, 4*time.Second)}.Run()
		last := time.Duration(0)
		for _, o := range orders {
			if o.Wait() > 0 {
				last = max(last, o.Started)
			}
		}
		return (last - 4*time.Second).Seconds(), err
	})
	mean, _ := model.LogNormalMax(payment, spread, 1)
	capacity, _ := model.Station{Service: mean, Workers: 2}.Capacity()
	predicted, err := model.Overload{Arrivals: 50, Lasts: 2 * time.Second}.CatchUp(50, capacity)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "catch-up as a share of the predicted", ended/predicted.Seconds(), 0.9, 1.1)
}

// Retries keep a trigger's overload alive after the trigger; a budget ends it at once, if who gives up is no longer worked for.
func TestRetryStorm(t *testing.T) {
	const n = 800
	goodput := func(budget float64, retries int, cancel bool) func(uint64) (float64, error) {
		return func(seed uint64) (float64, error) {
			r, err := simulation.Storm{
				Arrivals: simulation.Evenly(80, n), Costs: simulation.LogNormal(seed, payment, spread, n), Workers: 2, Places: simulation.Unbounded,
				Fault: simulation.Slow(2*time.Second, 4*time.Second, 200*ms, everyone(n)), Deadline: 100 * ms, Retries: retries, Backoff: 50 * ms,
				Budget: budget, Cancel: cancel, Seed: seed,
			}.Run()
			before := simulation.Share(r.Orders, 0, 19*time.Second/10, simulation.Failed)
			if before > 0 {
				t.Errorf("%.3f fail before the trigger", before)
			}
			return 1 - simulation.Share(r.Orders, 44*time.Second/10, 9*time.Second, simulation.Failed), err
		}
	}
	within(t, "goodput after the trigger, no budget", overSeeds(t, goodput(0, 3, true)), 0, 0.15)
	within(t, "a budget of 10 %", overSeeds(t, goodput(0.1, 3, true)), 0.99, 1)
	within(t, "no retries", overSeeds(t, goodput(0, 0, true)), 0.99, 1)
	within(t, "a budget, and work goes on for nobody", overSeeds(t, goodput(0.1, 3, false)), 0, 0.1)
}

// A service that hangs takes the entry's workers with it, hence the orders that never need it: about 83 %.
func TestCascade(t *testing.T) {
	const n = 240
	failing := func(change func(*simulation.Cascade)) float64 {
		return overSeeds(t, func(seed uint64) (float64, error) {
			c := simulation.Cascade{
				Arrivals: simulation.Evenly(80, n), Costs: simulation.LogNormal(seed, 24*ms, spread, n), Needs: simulation.Hits(seed, 0.5, n),
				Workers: 4, Places: 4, Hang: 2 * time.Second, Deadline: time.Second,
			}
			change(&c)
			orders, err := c.Run()
			var failed, of float64
			for i, o := range orders {
				if !c.Needs[i] {
					of++
					if simulation.Failed(o) {
						failed++
					}
				}
			}
			return failed / of, err
		})
	}
	within(t, "plain", failing(func(*simulation.Cascade) {}), 0.75, 0.92)
	within(t, "bulkhead of 2", failing(func(c *simulation.Cascade) { c.Bulkhead = 2 }), 0, 0.05)
	within(t, "breaker of 5 failures", failing(func(c *simulation.Cascade) { c.Breaker = simulation.Breaker{Failures: 5, Open: time.Second} }), 0.1, 0.6)
	within(t, "messages", failing(func(c *simulation.Cascade) { c.Messages = true }), 0, 0)
}

// Of 8 steps side by side the slowest takes longer than one alone.
func TestFanOut(t *testing.T) {
	one, _ := model.LogNormalMax(5*ms, spread, 1)
	eight, err := model.LogNormalMax(5*ms, spread, 8)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "8 steps of 5 ms against one, ms", (eight-one).Seconds()*1000, 1.7, 1.8)
	var rows [][]time.Duration
	for order := range uint64(2000) {
		rows = append(rows, simulation.LogNormal(order, 5*ms, spread, 8))
	}
	drawn, err := model.MeanMax(rows)
	if err != nil || (drawn-eight).Abs() > 50*time.Microsecond {
		t.Errorf("drawn %v, expected %v (%v)", drawn, eight, err)
	}
}
