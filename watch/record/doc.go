// Package record encodes the records of the work topic: slim spans, which keep only the attributes that the judge reads, and the four kinds of
// records that actors exchange (package actor says what they mean). Every record is a set of facts, so order and repeats never matter.
package record
