package rundir

import "fmt"

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
