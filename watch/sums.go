package watch

import (
	"fmt"
	"strings"
	"sync"

	"tracelab/watch/actor"
)

// Sums are what a watcher has counted since its start. Two equalities hold, for each watcher and for the sum over the group:
//
//	Read = Decoded + Damaged
//	Traces.Seen = Judged + Incomplete + Parts + Shared + Rootless + Evicted + Open, all of Traces
//
// A trace whose partition goes to another watcher while it is open is counted there.
type Sums struct {
	Read    int64        // records of the input that were read
	Decoded int64        // of Read: those without damage
	Damaged int64        // of Read: those with damage, whose intact spans are judged; they are in the dead letters, but for those whose whole batch is damaged
	Spans   int64        // intact spans in the records of the input
	Foreign int64        // records of the work topic that no watcher of this version can have written
	Traces  actor.Counts // what became of the traces
}

// String returns the sums as two lines, and a third where something went wrong. Summands that are 0 are left out.
func (s Sums) String() string {
	t := s.Traces
	lines := []string{
		fmt.Sprintf("%d records read = %s; %d spans", s.Read, joined(" + ", []count{{s.Decoded, "decoded"}, {s.Damaged, "damaged"}}), s.Spans),
		fmt.Sprintf("%d traces seen = %s", t.Seen, joined(" + ", []count{
			{t.Judged, "judged"}, {t.Incomplete, "incomplete"}, {t.Parts, "parts of others"}, {t.Shared, "shared"}, {t.Rootless, "without a root"},
			{t.Evicted, "evicted"}, {t.Open, "open"},
		})),
	}
	wrong := []count{
		{t.Late, "spans late"}, {t.Crowded, "spans of more roots than --causes"}, {t.Cut, "spans beyond --trace-spans"},
		{t.Damaged, "spans damaged on the way"}, {s.Foreign, "foreign records"},
	}
	if text := joined(", ", wrong); text != "0" {
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// count is a number, and what it counts.
type count struct {
	n    int64
	what string
}

// joined returns the counts that are not 0 as a text, or "0".
func joined(sep string, counts []count) string {
	var parts []string
	for _, c := range counts {
		if c.n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, sep)
}

// tally counts the sums. It is safe for concurrent use. The zero value has counted nothing.
type tally struct {
	mu   sync.Mutex
	sums Sums
}

// read counts a record of the input.
func (t *tally) read(spans int, damaged bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sums.Read++
	t.sums.Spans += int64(spans)
	if damaged {
		t.sums.Damaged++
	} else {
		t.sums.Decoded++
	}
}

// unread counts records of the input whose batch cannot be decompressed.
func (t *tally) unread(records int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sums.Read += records
	t.sums.Damaged += records
}

// foreign counts records of the work topic that cannot be read.
func (t *tally) foreign(records int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sums.Foreign += records
}

// left adds the traces of a partition that is given up, but for the open ones: its next owner counts those.
func (t *tally) left(c actor.Counts) {
	c.Seen, c.Open, c.Bytes = c.Seen-c.Open, 0, 0
	t.mu.Lock()
	defer t.mu.Unlock()
	addCounts(&t.sums.Traces, c)
}

// with returns the sums, including the traces of partitions that are still here.
func (t *tally) with(here []actor.Counts) Sums {
	t.mu.Lock()
	defer t.mu.Unlock()
	sums := t.sums
	for _, c := range here {
		addCounts(&sums.Traces, c)
	}
	return sums
}

func addCounts(to *actor.Counts, c actor.Counts) {
	to.Seen += c.Seen
	to.Open += c.Open
	to.Judged += c.Judged
	to.Incomplete += c.Incomplete
	to.Parts += c.Parts
	to.Shared += c.Shared
	to.Rootless += c.Rootless
	to.Evicted += c.Evicted
	to.Late += c.Late
	to.Crowded += c.Crowded
	to.Cut += c.Cut
	to.Damaged += c.Damaged
	to.Bytes += c.Bytes
}
