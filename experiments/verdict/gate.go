package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Gate is a condition without which figures say nothing, checked.
type Gate struct {
	Name     string
	Passed   bool
	Measured string // with the limit
	Change   string // what to change when it failed
}

// Conditions are what an experiment saw of itself. A nil field is a gate that does not concern the claim.
type Conditions struct {
	Steady    *Steady
	Faults    []Fault
	Generator *Generator // where the figures are responses
	Process   *Process
	Model     *Residual
	Delta     time.Duration // the smallest effect of interest, where it is a time; it widens the limits on times
}

// Steady holds the waits of the orders before the fault, of each run in the order of their intended starts, in milliseconds; +Inf of
// an order that failed. Band is by how many milliseconds a run may drift (see Band). The gate fails when a greater drift is shown, not
// when none is shown: the medians of two short halves differ by chance.
type Steady struct {
	Runs [][]float64
	Band float64
}

// Fault is how often a fault should have hit, as drawn from the seed, and how often it did.
type Fault struct {
	Name         string
	Drawn, Fired int
}

// Generator is how late orders started, at the 99th percentile.
type Generator struct{ StartLag time.Duration }

// Process is what the measured processes got of the machine.
type Process struct {
	CPUShare float64       // of all cores together, 0 to 1
	RunQueue time.Duration // for which a thread that could run waited for a core, at the 99th percentile
}

// Residual is a figure without any fault, predicted and measured, in one unit. Band is how far they may lie apart (see Band).
type Residual struct {
	Name                string
	Predicted, Measured float64
	Band                float64
}

// Limits of the gates.
const (
	mostCPU     = 0.7
	mostLag     = 2 * time.Millisecond
	mostFailing = 0.01 // of the orders before the fault
	leastSteady = 12   // orders before the fault, 6 in each half
)

// Band returns how far a prediction may lie from a measurement: the larger of δ/2 and 5 % of the prediction.
func Band(delta, predicted float64) float64 { return max(delta/2, 0.05*math.Abs(predicted)) }

// Gates checks the conditions, each by itself.
func (c Conditions) Gates() []Gate {
	var gates []Gate
	if c.Steady != nil {
		gates = append(gates, c.Steady.gate())
	}
	for _, f := range c.Faults {
		gates = append(gates, f.gate())
	}
	limit := max(mostLag, c.Delta/10)
	if c.Generator != nil {
		gates = append(gates, c.Generator.gate(limit))
	}
	if c.Process != nil {
		gates = append(gates, c.Process.gate(limit))
	}
	if c.Model != nil {
		gates = append(gates, c.Model.gate())
	}
	return gates
}

func (s Steady) gate() Gate {
	g := Gate{Name: "steady before the fault"}
	orders, failing := 0, 0
	for _, run := range s.Runs {
		orders += len(run)
		for _, wait := range run {
			if math.IsInf(wait, 0) || math.IsNaN(wait) {
				failing++
			}
		}
		if len(run) < leastSteady {
			g.Measured = fmt.Sprintf("%d orders of a run, at least %d are needed", len(run), leastSteady)
			g.Change = "let more time pass before the fault"
			return g
		}
	}
	share := float64(failing) / float64(orders)
	if orders == 0 || share > mostFailing {
		g.Measured = fmt.Sprintf("%d of %d orders failed, at most %g %%", failing, orders, 100*mostFailing)
		g.Change = "mend what fails without the fault, or lower the rate"
		return g
	}
	drift, low, high := s.drift()
	g.Passed = !Within(0, s.Band).excludes(low, high)
	g.Measured = fmt.Sprintf("drift of %.3g ms from the first half to the second, %.3g to %.3g, at most ±%.3g", drift, low, high, s.Band)
	if !g.Passed {
		g.Change = "lower the rate, or warm up for longer: the queue is not in its steady state"
	}
	return g
}

// drift is how much greater the median is in the second half: over runs where there are some, since orders in one queue depend on
// each other; else over the orders of the only run.
func (s Steady) drift() (value, low, high float64) {
	var first, second []float64
	for _, run := range s.Runs {
		a, errA := Quantile(run[:len(run)/2], 0.5)
		b, errB := Quantile(run[len(run)/2:], 0.5)
		if errA != nil || errB != nil {
			return math.NaN(), math.Inf(1), math.Inf(1)
		}
		first, second = append(first, a.Value), append(second, b.Value)
	}
	e, err := PairedRuns(first, second)
	if len(s.Runs) == 1 {
		e, err = UnpairedQuantile(s.Runs[0][:len(s.Runs[0])/2], s.Runs[0][len(s.Runs[0])/2:], 0.5)
	}
	if err != nil {
		return math.NaN(), math.Inf(1), math.Inf(1)
	}
	low, high = e.Interval(confidence)
	return e.Value, low, high
}

func (f Fault) gate() Gate {
	g := Gate{Name: "fault " + f.Name + " fired as drawn", Passed: f.Fired == f.Drawn && f.Drawn > 0,
		Measured: fmt.Sprintf("fired %d times, drawn %d times", f.Fired, f.Drawn)}
	switch {
	case g.Passed:
	case f.Drawn == 0:
		g.Change = "place more orders, or raise the fault's share: the seed draws no hit"
	case f.Fired == 0:
		g.Change = "start the services with faults allowed, and look whether the orders reach the faulty service"
	default:
		g.Change = "look whether orders were lost before the faulty service, or tried again behind it"
	}
	return g
}

func (r Generator) gate(limit time.Duration) Gate {
	g := Gate{Name: "generator on time", Passed: r.StartLag <= limit, Measured: fmt.Sprintf("start lag p99 %v, at most %v", r.StartLag, limit)}
	if !g.Passed {
		g.Change = "lower the rate, or leave the machine to the experiment"
	}
	return g
}

func (p Process) gate(limit time.Duration) Gate {
	g := Gate{Name: "process not starved", Passed: p.CPUShare < mostCPU && p.RunQueue <= limit,
		Measured: fmt.Sprintf("CPU share %.0f %%, under %.0f %%; run-queue delay p99 %v, at most %v", 100*p.CPUShare, 100*mostCPU, p.RunQueue, limit)}
	if !g.Passed {
		g.Change = "lower the rate, run fewer labs at a time, or use a machine with more cores"
	}
	return g
}

func (r Residual) gate() Gate {
	g := Gate{Name: "residual of " + r.Name + " in its band", Passed: math.Abs(r.Measured-r.Predicted) <= r.Band,
		Measured: fmt.Sprintf("measured %.4g, predicted %.4g, at most %.3g apart", r.Measured, r.Predicted, r.Band)}
	if !g.Passed {
		g.Change = "measure the constants again on an idle machine; if it stays, something is there that the model does not name"
	}
	return g
}

func failed(gates []Gate) []Gate {
	return slices.DeleteFunc(slices.Clone(gates), func(g Gate) bool { return g.Passed })
}
