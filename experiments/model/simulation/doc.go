// Package simulation is the model's second opinion: queues, deadlines, retries and limits in virtual time, event by event, for
// what formulas leave out.
//
// Nothing waits in real time and nothing is drawn in secret: arrivals and costs are drawn beforehand, by seed, and handed to
// each arm of an experiment alike, so that arms differ in their mechanism alone. A simulated network takes no time and no
// processor is short; what is left is queueing.
package simulation
