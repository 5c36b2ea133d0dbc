// Package model predicts what an experiment will measure, before it runs. The predictions need the costs of the steps, which are drawn by seed and
// so known for every order, and a few constants measured on an idle lab.
//
// Each function names its units, its source and its limits, and returns an error outside of them: a formula predicts nothing where it does not
// hold. Times are time.Duration, rates are per second, shares and probabilities lie between 0 and 1. The formulas leave out queues that interact,
// retries, and deadlines that cut work short; package simulation covers those.
package model
