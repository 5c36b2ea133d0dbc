package model

import (
	"errors"
	"math"
)

// mostRetries limits retries and depth.
const mostRetries = 100

// Attempts returns the mean number of attempts with up to r retries, when each attempt fails with probability p:
// (1−p^(r+1))/(1−p), and r+1 when all fail.
//
// Source: the mean of a truncated geometric distribution. Limits: attempts fail independently; in an overload they do not.
func Attempts(p float64, retries int) (float64, error) {
	if err := errors.Join(probability("the probability of failure", p), between("retries", retries, 0, mostRetries)); err != nil {
		return 0, err
	}
	if p == 1 {
		return float64(retries + 1), nil
	}
	return (1 - math.Pow(p, float64(retries+1))) / (1 - p), nil
}

// Succeeds returns the probability that one of up to r+1 attempts succeeds: 1−p^(r+1). Source and limits: as Attempts.
func Succeeds(p float64, retries int) (float64, error) {
	err := errors.Join(probability("the probability of failure", p), between("retries", retries, 0, mostRetries))
	return 1 - math.Pow(p, float64(retries+1)), err
}

// NestedAttempts returns how many attempts reach the last of a chain of callers when all fail and each caller retries r times:
// (r+1)^depth.
//
// Source: Beyer and others, Site Reliability Engineering, 2016, chapter 22. Limits: no budget, no deadline that ends retries early;
// results above 2⁵³ are refused.
func NestedAttempts(retries, depth int) (float64, error) {
	if err := errors.Join(between("retries", retries, 0, mostRetries), between("depth", depth, 0, mostRetries)); err != nil {
		return 0, err
	}
	n := math.Pow(float64(retries+1), float64(depth))
	if n > 1<<53 {
		return 0, errors.New("more than 2⁵³ attempts: use fewer retries or a smaller depth")
	}
	return n, nil
}

// BudgetedLoad returns the maximum factor by which retries raise the load when they are limited to a share of the calls:
// 1 + budget. Source: Beyer and others 2016, chapter 21 (the per-client retry budget). Limits: times that are long compared to the
// budget's window.
func BudgetedLoad(budget float64) (float64, error) {
	err := notNegative("the budget", budget)
	return 1 + budget, err
}
