package model

import (
	"fmt"
	"math"
	"slices"
)

// Parts are the availabilities of a system's parts by name: shares of time, between 0 and 1.
type Parts map[string]float64

// AllOf returns the availability of a system that needs all of the named parts: the product of theirs. A part that is named twice counts once. For
// calls, the parts are the services of the call tree; for an early answer, the front services and the broker.
//
// Source: the series system (Barlow and Proschan, Mathematical Theory of Reliability, 1965, chapter 1). Limits: parts fail
// independently of each other and of the load; an order needs its parts at one moment, so outages are long compared to an order.
func (p Parts) AllOf(names ...string) (float64, error) {
	product := 1.0
	for i, name := range names {
		a, known := p[name]
		if !known {
			return 0, fmt.Errorf("the availability of %q is not known", name)
		}
		if err := probability("the availability of "+name, a); err != nil {
			return 0, err
		}
		if !slices.Contains(names[:i], name) {
			product *= a
		}
	}
	return product, nil
}

// Replicated returns the availability of n copies, one of which is enough: 1−(1−a)ⁿ. Source and limits: as AllOf.
func Replicated(a float64, n int) (float64, error) {
	if err := probability("the availability", a); err != nil {
		return 0, err
	}
	if err := between("copies", n, 1, mostWorkers); err != nil {
		return 0, err
	}
	return 1 - math.Pow(1-a, float64(n)), nil
}
