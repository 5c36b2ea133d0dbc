// Package model predicts what an experiment will measure, before it runs: from costs that are drawn by seed, hence known for
// every order, and from a few constants that an idle lab is measured for.
//
// Each function names its units, its source and its limits, and returns an error outside of them: a formula that is used where
// it does not hold predicts nothing. Times are time.Duration; rates are per second; shares and probabilities lie between 0 and 1.
// What the formulas leave out (queues that interact, retries, deadlines that cut work short) is the business of package
// simulation, the second opinion.
package model
