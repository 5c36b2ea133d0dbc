// Package experiments asks: it holds sentences that people repeat about synchronous and asynchronous communication, and for each the
// experiment that judges it.
//
// A Claim is a struct of functions. Predict says what the model expects, before anything runs. Measure runs labs and returns figures.
// Decide turns figures into parts of a verdict; it is pure, so a table of made-up figures tests it, and a recorded run can be judged
// again. The frame checks the gates, adds the verdict, and keeps one journey for a person to open.
//
// To add a claim, write a file with it and add it to All. docs/adding-a-claim.md begins with one that does nothing.
package experiments
