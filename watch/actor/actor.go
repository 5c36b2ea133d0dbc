// Package actor is the protocol by which traces that are spread over partitions find their journeys. Each trace id has an actor,
// in the partition of the trace: it knows the trace's spans, asks other actors for what its spans link to, tells which roots reach
// what others link to, and gives each span to the roots that reach it. The root's actor judges.
//
// Nothing here knows Kafka, the time or goroutines: records go in, records and verdicts come out.
package actor

import (
	"time"

	"tracelab/journey"
	"tracelab/watch/record"
)

// Config sets limits and times. Times are gated: they pass only while the whole group of watchers is up to date.
type Config struct {
	Quiet      time.Duration // a root is judged when nothing new came for so long; 0 is 5 s
	Window     time.Duration // what waits for something waits no longer than that; 0 is 60 s
	Causes     int           // how many roots may reach one span; with more it is given to none; 0 is 64
	TraceSpans int           // how many spans of one trace are kept; 0 is 100,000
	MaxBytes   int64         // how many bytes of records all actors keep before the oldest is evicted; 0 is 1 GiB
}

// Verdict is what was found about one root.
type Verdict struct {
	Root       journey.TraceID
	Journey    *journey.Journey // of a Set that has the journey's spans, stubs of what else led to them, and no more
	Incomplete string           // why spans are missing, or empty
}

// Counts says what became of the traces and records of a partition. Seen is the sum of Open, Judged, Incomplete, Parts, Shared,
// Rootless and Evicted; the rest stand beside them.
type Counts struct {
	Seen       int64 // traces of which a span came
	Open       int64 // traces about which nothing is decided yet
	Judged     int64 // traces with a root, judged as complete
	Incomplete int64 // traces with a root, judged as incomplete
	Parts      int64 // traces without a root that another journey reached
	Shared     int64 // traces in no journey by rule: polls, commits, workers' loops
	Rootless   int64 // traces without a root that no journey reached
	Evicted    int64 // traces given up because memory was full

	Late    int64 // spans that came for a trace that was decided
	Crowded int64 // spans that more roots reach than Config.Causes: given to none
	Cut     int64 // spans beyond Config.TraceSpans
	Damaged int64 // spans of records that could not be read
	Bytes   int64 // bytes that the open actors keep
}

// Partition holds the actors of one partition. It is not safe for use by several goroutines.
type Partition struct {
	config Config
}

// New returns a partition without actors.
func New(config Config) *Partition { return &Partition{config: config} }

// Handle takes in a record that was read at an offset of the partition. Order and repeats do not matter. It keeps nothing of the
// record.
func (p *Partition) Handle(r record.Record, offset int64) {}

// Advance sets the gated time, which never goes back. When ready is false, no root is judged: the group is behind.
func (p *Partition) Advance(now time.Duration, ready bool) {}

// Overdue judges every root that has been open for longer than patience, by the clock of the caller, though the group is not up
// to date: as incomplete, for the reason given, such as "partition 7 was behind". wall is the time by that clock.
func (p *Partition) Overdue(wall, patience time.Duration, reason string) {}

// Done says that a root was judged before, by this or another watcher. It still answers, and is not judged again.
func (p *Partition) Done(root journey.TraceID) {}

// Take returns what came out since the last call: records for other actors, to be sent before the verdicts, and the verdicts.
func (p *Partition) Take() (send []record.Record, verdicts []Verdict) { return nil, nil }

// Oldest returns the lowest offset that an open actor still needs, and false when there is none: then everything read is done with.
func (p *Partition) Oldest() (offset int64, open bool) { return 0, false }

// Counts returns what became of the traces so far.
func (p *Partition) Counts() Counts { return Counts{} }
