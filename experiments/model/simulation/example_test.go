package simulation_test

import (
	"fmt"
	"time"

	"tracelab/experiments/model/simulation"
)

// A service of two workers that is slow for two seconds, with callers who give up after 100 ms and try again three times: the
// share of each second's orders that succeed. The trigger ends at 4 s.
func ExampleStorm() {
	const n = 640
	all := simulation.Hits(1, 1, n)
	storm := simulation.Storm{
		Arrivals: simulation.Evenly(80, n), Costs: simulation.LogNormal(1, 18*time.Millisecond, 0.22, n),
		Workers: 2, Places: simulation.Unbounded, Fault: simulation.Slow(2*time.Second, 4*time.Second, 200*time.Millisecond, all),
		Deadline: 100 * time.Millisecond, Retries: 3, Backoff: 50 * time.Millisecond, Cancel: true, Seed: 1,
	}
	for _, budget := range []float64{0, 0.1} {
		storm.Budget = budget
		result, err := storm.Run()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("budget %.1f:", budget)
		for from := time.Duration(0); from < 7*time.Second; from += time.Second {
			fmt.Printf(" %.1f", 1-simulation.Share(result.Orders, from, from+time.Second, simulation.Failed))
		}
		fmt.Println()
	}
	// Output:
	// budget 0.0: 1.0 1.0 0.0 0.0 0.1 0.1 0.0
	// budget 0.1: 1.0 1.0 0.0 0.1 1.0 1.0 1.0
}

// One worker, two places, and a queue that is full.
func ExampleQueue() {
	const ms = time.Millisecond
	orders, err := simulation.Queue{
		Arrivals: []time.Duration{0, 1 * ms, 2 * ms, 3 * ms}, Costs: []time.Duration{10 * ms, 10 * ms, 10 * ms, 10 * ms}, Workers: 1, Places: 2,
	}.Run()
	for _, o := range orders {
		fmt.Println(o.Wait(), o.Response())
	}
	fmt.Println(err)
	// Output:
	// 0 10
	// 9 19
	// 18 28
	// +Inf +Inf
	// <nil>
}
