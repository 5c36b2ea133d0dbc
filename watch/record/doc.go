// Package record is what travels on the work topic of the watch: spans that keep only what the judge reads, and the four records
// by which traces tell each other what they know. Every record is a set of facts, so order and repeats never matter.
package record
