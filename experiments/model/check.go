package model

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// positive refuses what is not a finite number above 0.
func positive(name string, v float64) error {
	if !(v > 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%s is %g: it must be a finite number above 0", name, v)
	}
	return nil
}

// notNegative refuses what is not a finite number of at least 0.
func notNegative(name string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%s is %g: it must be a finite number of at least 0", name, v)
	}
	return nil
}

// probability refuses what is not between 0 and 1.
func probability(name string, v float64) error {
	if !(v >= 0 && v <= 1) {
		return fmt.Errorf("%s is %g: it must be between 0 and 1", name, v)
	}
	return nil
}

// between refuses a count that is not between low and high.
func between(name string, v, low, high int) error {
	if v < low || v > high {
		return fmt.Errorf("%s is %d: it must be between %d and %d", name, v, low, high)
	}
	return nil
}

// span converts seconds to a duration, and refuses what a duration cannot hold.
func span(seconds float64) (time.Duration, error) {
	if !(math.Abs(seconds) < math.MaxInt64/float64(time.Second)) {
		return 0, errors.New("the predicted time is beyond 292 years: the rates lie too close to each other")
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), nil
}
