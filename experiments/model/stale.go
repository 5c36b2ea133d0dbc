package model

import (
	"errors"
	"time"
)

// StaleShare returns the share of reads that are stale at a given time after the answer: the share of orders whose tail (from the answer
// to the completion) is longer, P(tail > t).
//
// Source: the definition of probabilistically bounded staleness (Bailis and others, 2012). Limits: all orders are read equally often; a read
// takes no time.
func StaleShare(tails []time.Duration, after time.Duration) (float64, error) {
	if len(tails) == 0 {
		return 0, errors.New("no tails: the stale share is not known")
	}
	if err := notNegative("the time after the answer in seconds", after.Seconds()); err != nil {
		return 0, err
	}
	stale := 0
	for _, tail := range tails {
		if tail > after {
			stale++
		}
	}
	return float64(stale) / float64(len(tails)), nil
}
