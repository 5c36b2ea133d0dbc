// Package journey judges traces of business flows that cross calls and messages.
//
// Give it spans of any traces (package journey/source reads them); it stitches them into journeys: one caller's root and
// everything that it caused, over all traces, following parents and links forwards. A journey answers how long the caller
// waited, when the work was complete, and why: the response path and the completion path are chains of segments that add up
// to those times, to the nanosecond, for any input. What was wrong with the data is part of the result, as warnings.
//
//	set := journey.NewSet(spans)
//	for _, j := range set.Journeys() {
//		fmt.Println(j.Completion(), j.CompletionPath(), j.Warnings())
//	}
//
// Class tells how spans lead to each other, Set.Shared which polls and commits count, and Set.EffectiveEnd until when a span
// mattered to its caller. Journey.WhatIf and Journey.Branches tell what a step costs, and how much later a branch could have
// ended. The rules read the messaging attributes of OpenTelemetry's semantic conventions under today's names and older ones:
// package journey/semconv lists them.
//
// Lengths of time, and times from a journey's start, are time.Duration. Times since the Unix epoch are int64 nanoseconds:
// Span.Start and End, Set.Times, Set.EffectiveEnd, Edge.Ready and Journey.Start.
//
// An Index is valid for the Set that it comes from. One that the set does not have stands for an empty span.
//
// The package imports the standard library only. Nothing in it recurses, so no input can exhaust the stack.
package journey
