package predict

import (
	"slices"
	"time"

	"tracelab/journey/compare"
)

// Constant is what one part of a hop is taken to cost.
type Constant struct {
	Value  time.Duration
	Source string // where it comes from: given, or the name of the set on which it was measured
	N      int    // how many hops it is the median of; 0 when it was given
	Used   bool   // a turned hop needs it
}

// Constants are what hops cost.
type Constants struct {
	Publish  Constant // how long a message holds its sender
	Delivery Constant // from the start of a publish to the start of the handling
	Call     Constant // request and response together: a client's time less its server's
}

// costs are what the hops of a set took, in nanoseconds.
type costs struct{ publish, delivery, call cost }

// cost is what one part of the hops took.
type cost struct {
	values  []int64
	weights []float64 // by value, how many journeys its journey stands for
}

func (c *cost) add(v int64, weight float64) {
	c.values, c.weights = append(c.values, v), append(c.weights, weight)
}

func (c *costs) add(p *plan, callee int32, weight float64) {
	a := &p.acts[callee]
	carrier := &p.acts[a.carrier]
	switch {
	case carrier.span == none:
	case a.message:
		c.publish.add(carrier.end-carrier.start, weight)
		c.delivery.add(a.start-carrier.start, weight)
	case len(carrier.callees) == 1:
		c.call.add(carrier.end-carrier.start-(a.end-a.start), weight)
	}
}

// median returns the median of values, at least 0, and false without values.
func (c *cost) median() (time.Duration, bool) {
	n := len(c.values)
	if n == 0 {
		return 0, false
	}
	if slices.ContainsFunc(c.weights, func(w float64) bool { return w != c.weights[0] }) {
		f := compare.Figures{Weights: c.weights}
		for _, v := range c.values {
			f.Values = append(f.Values, float64(v))
		}
		return time.Duration(max(0, *f.Summarize().Median)), true
	}
	sorted := slices.Sorted(slices.Values(c.values))
	return time.Duration(max(0, (sorted[(n-1)/2]+sorted[n/2])/2)), true
}

// costSource is a set on which costs were measured.
type costSource struct {
	name  string
	costs *costs
}

// constant returns the value from the first source that has one: what was given, then the sets in their order.
func constant(given *time.Duration, sources []costSource, of func(*costs) *cost) Constant {
	if given != nil {
		return Constant{Value: *given, Source: "given"}
	}
	for _, s := range sources {
		if value, ok := of(s.costs).median(); ok {
			return Constant{Value: value, Source: s.name, N: len(of(s.costs).values)}
		}
	}
	return Constant{}
}
