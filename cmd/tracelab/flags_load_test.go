package main

import (
	"strings"
	"testing"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// loadFlagCases are of flags that say how many orders are placed, and when.
func loadFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"forms": func(t *testing.T) {
			result, _ := do(t, "--forms", "rest,hybrid")
			if len(result.Forms) != 2 || result.Forms[services.REST] == nil || result.Forms[services.Hybrid] == nil {
				t.Errorf("forms %v", result.Forms)
			}
		},
		"orders": func(t *testing.T) {
			if result, _ := do(t, "--orders", "3"); result.Forms[services.GRPC].Orders.Placed != 3 {
				t.Errorf("%+v", result.Forms[services.GRPC].Orders)
			}
		},
		"rate": func(t *testing.T) {
			result, _ := do(t, "--orders", "2", "--rate", "20")
			if list := orders(t, result); list[1].Intended.Sub(list[0].Intended) != 50*time.Millisecond || result.Rate != 20 {
				t.Errorf("orders at %v and %v, want 50 ms apart", list[0].Intended, list[1].Intended)
			}
		},
		"surge": func(t *testing.T) {
			result, _ := do(t, "--orders", "4", "--rate", "10", "--surge", "100ms:200ms:5")
			list := orders(t, result)
			if result.Surge != "100ms:200ms:5" || list[1].Intended.Sub(list[0].Intended) != 100*time.Millisecond || list[3].Intended.Sub(list[1].Intended) != 40*time.Millisecond {
				t.Errorf("surge %q, orders at %v, %v, … %v: want the last three 20 ms apart", result.Surge, list[0].Intended, list[1].Intended, list[3].Intended)
			}
		},
		"clients": func(t *testing.T) {
			result, _ := do(t, "--orders", "4", "--clients", "2")
			list := orders(t, result)
			free := func(o rundir.Order) time.Time { return o.Intended.Add(time.Duration(o.CallerWait)) }
			first := free(list[0]) // of the two clients, whichever has its answer sooner places the third order
			if second := free(list[1]); second.Before(first) {
				first = second
			}
			if third := list[2].Intended; third.Before(first.Add(-20 * time.Millisecond)) {
				t.Errorf("the third order begins at %v, before either of the first two has its answer: %v", third, first)
			}
			if result.Clients != 2 || result.Rate != 0 || result.Generator.Clients != 2 || result.Generator.Rate <= 0 {
				t.Errorf("clients %d, rate %g, generator %+v", result.Clients, result.Rate, result.Generator)
			}
		},
		"think": func(t *testing.T) {
			result, _ := do(t, "--orders", "3", "--clients", "1", "--think", "50ms")
			list := orders(t, result)
			for i, o := range list[1:] {
				if free := list[i].Intended.Add(time.Duration(list[i].CallerWait)); o.Intended.Sub(free) < 50*time.Millisecond {
					t.Errorf("order %d begins %v after the answer before it, want it to think for 50ms", i+1, o.Intended.Sub(free))
				}
			}
			if result.ThinkMS != 50 {
				t.Errorf("the report says that it thinks for %g ms", result.ThinkMS)
			}
		},
	}
}

// waitFlagCases are of flags that say for how long the run warms up and waits.
func waitFlagCases() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"warm-up": func(t *testing.T) {
			for count, n := range map[string]int64{"0": 0, "2": 2} {
				result, _ := do(t, "--warm-up", count)
				f := result.Forms[services.GRPC] // without messages no span is shared: what is left is the warm-up's
				left := result.Spans.Started - int64(f.SpanCount)
				windows := int64(result.WarmedUp.Windows)
				if result.Generator.Tried > 0 || result.Generator.Higher > 0 { // on a busy machine another rate is looked for, with more such orders
					left = min(left, n*windows*int64(f.SpanCount))
				}
				if left != n*windows*int64(f.SpanCount) || f.Orders.Placed != 1 || int64(result.WarmUp) != n*windows || (n > 0) != (windows > 1) {
					t.Errorf("%s warm-up orders: %d spans beside the %d of the order, in %d windows", count, left, f.SpanCount, windows)
				}
			}
		},
		"timeout": func(t *testing.T) {
			result, _ := do(t, "--timeout", "50ms", "--fault", "payment:delay=150ms")
			if a := result.Forms[services.GRPC].Orders; a.Unanswered != 1 {
				t.Errorf("%+v, want no answer in time", a)
			}
		},
		"deadline": func(t *testing.T) {
			result, status := do(t, "--forms", "kafka", "--deadline", "50ms", "--fault", "notification:delay=300ms")
			if a := result.Forms[services.Kafka].Orders; a.Pending != 1 || status != exitNotSo || len(result.Problems) == 0 {
				t.Errorf("exit status %d, %+v, problems %q", status, a, result.Problems)
			}
		},
		"base": func(t *testing.T) {
			result, _ := do(t, "--forms", "grpc,kafka", "--base", "kafka")
			if c := result.Comparisons; len(c) == 0 || c[0].Base != "kafka" || c[0].Other != "grpc" || result.Base != "kafka" {
				t.Errorf("base %q, comparisons %+v", result.Base, c)
			}
		},
		"seed": func(t *testing.T) {
			result, _ := do(t, "--seed", "6")
			longer := 0
			for _, hop := range flows.Order().Rows {
				other, _ := services.Experiment{Seed: 1}.Cost(hop)
				wait, _ := services.Experiment{Seed: 6}.Cost(hop)
				step := named(spans(t, result, services.GRPC), string(hop.Step))[0]
				if took := time.Duration(step.End - step.Start); took < wait {
					t.Errorf("%s took %v; seed 6 makes it wait %v", hop.Step, took, wait)
				}
				if wait > other {
					longer++ // so this would not come of seed 1
				}
			}
			if longer == 0 || result.Seed != 6 || !strings.HasSuffix(result.Dir, "-6") {
				t.Errorf("seed %d in %s; %d steps take longer than with seed 1", result.Seed, result.Dir, longer)
			}
		},
	}
}
