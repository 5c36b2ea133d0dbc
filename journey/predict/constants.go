package predict

import (
	"slices"
	"time"
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
type costs struct{ publish, delivery, call []int64 }

func (c *costs) add(p *plan, callee int32) {
	a := &p.acts[callee]
	carrier := &p.acts[a.carrier]
	switch {
	case carrier.span == none:
	case a.message:
		c.publish = append(c.publish, carrier.end-carrier.start)
		c.delivery = append(c.delivery, a.start-carrier.start)
	case len(carrier.callees) == 1:
		c.call = append(c.call, carrier.end-carrier.start-(a.end-a.start))
	}
}

// median returns the median of values, at least 0, and false without values.
func median(values []int64) (time.Duration, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return time.Duration(max(0, (sorted[(n-1)/2]+sorted[n/2])/2)), true
}

// costSource is a set on which costs were measured.
type costSource struct {
	name  string
	costs *costs
}

// constant returns the value from the first source that has one: what was given, then the sets in their order.
func constant(given *time.Duration, sources []costSource, of func(*costs) []int64) Constant {
	if given != nil {
		return Constant{Value: *given, Source: "given"}
	}
	for _, s := range sources {
		if value, ok := median(of(s.costs)); ok {
			return Constant{Value: value, Source: s.name, N: len(of(s.costs))}
		}
	}
	return Constant{}
}
