package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"tracelab/journey"
)

// Starvation is how much of a run's time its process did not get the CPU that it needed.
type Starvation struct {
	Share   float64 `json:"share"` // of the time in which orders were placed, 0 to 1
	Gaps    int     `json:"gaps"`  // times that the process was woken late
	Longest float64 `json:"longest_ms"`
}

// starvedShare is from where on the figures of a run are its machine's.
const starvedShare = 0.05

// Starved tells whether so much time is missing that latencies are the machine's.
func (s Starvation) Starved() bool { return s.Share > starvedShare }

// String says it in words, "" when the process was not starved.
func (s Starvation) String() string {
	if !s.Starved() {
		return ""
	}
	return fmt.Sprintf("the process did not get the CPU that it needed for %.0f %% of the time (up to %.0f ms at a time)", s.Share*100, s.Longest)
}

// starvedTime is a line of starved.jsonl.
type starvedTime struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Starved writes when the process did not get the CPU that it needed: readers of the run draw no work then. It is called once, before Commit.
func (w *Writer) Starved(periods []journey.Period) error {
	if w.files == nil {
		return errNotCreated
	}
	if len(periods) == 0 {
		return nil
	}
	return writeLines(filepath.Join(w.temporary, starvedFile), func(yield func(starvedTime) bool) {
		for _, p := range periods {
			if !yield(starvedTime{time.Unix(0, p.From).UTC(), time.Unix(0, p.To).UTC()}) {
				return
			}
		}
	})
}

// Starved reads when the process of the run did not get the CPU that it needed: nothing for a run of a version that did not write it.
func (r Run) Starved() ([]journey.Period, error) {
	var periods []journey.Period
	err := readLines(filepath.Join(r.Dir, starvedFile), func(t starvedTime) {
		periods = append(periods, journey.Period{From: t.From.UnixNano(), To: t.To.UnixNano()})
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open run %s: %w", r.Dir, err)
	}
	return periods, nil
}
