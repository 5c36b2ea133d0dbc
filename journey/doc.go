// Package compare judges traces of business flows that cross calls and messages.
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
// How spans lead to each other (the classes of edges), what counts of polls and commits, and where a span's time ends that
// matters to its caller are told at Class, Set.Shared and Set.EffectiveEnd. The rules read the OpenTelemetry semantic
// conventions for messaging, today's names and those up to 1.24: messaging.operation.type, messaging.destination.template
// or name, and messaging.consumer.group.name.
//
// Groups of journeys are compared by Compare: medians with their 95 % intervals, paired where journeys belong together. It
// says less or more only when the interval excludes 0; what would settle the rest is told by Difference.Enough. Nodes says
// where the difference is: the journeys' spans are laid out as trees, and a step that one group reaches by a call meets the
// one that another group reaches by a message. Journey.WhatIf and Journey.Branches tell what a step is worth, and how much
// later a branch could have ended.
//
// The package imports the standard library only. Nothing in it recurses, so no input can exhaust the stack.
package journey
