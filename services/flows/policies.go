package flows

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Policies say how calls to a step are made, and what its service takes. All are off unless the file says otherwise. They hold in every form:
// what concerns calls alone says so.
type Policies struct {
	// Timeout bounds each call to the step. A flow that has one passes the rest of its caller's time on with every call.
	Timeout time.Duration
	// Budget is the share of the recent calls to the step that may be retries of calls, over 0 and up to 1; 1 stands for no budget, 0 for
	// DefaultBudget.
	Budget   float64
	Breaker  *Breaker // of the calls that one service makes to the step; nil: none
	Bulkhead int      // calls to the step that one service makes at a time; 0: as many as come
	Payload  int      // bytes that travel with the call or message that leads to the step
	Undo     *Undo    // nil: nothing takes the step back
	// Workers is how many calls and messages the step's service works on at a time, Queue how many more calls wait for that before others are
	// refused. 0: the file says nothing of them here. See Flow.Limits.
	Workers, Queue int
}

// DefaultBudget is the share of the recent calls that may be retries when the file says nothing of it.
const DefaultBudget = 0.2

// Breaker stops calls to a step of which too many have failed.
type Breaker struct {
	Share float64       // of failed calls that opens it
	Of    int           // calls that are looked at: the last ones
	Open  time.Duration // until calls are tried again
}

// String is the breaker as a file has it.
func (b Breaker) String() string {
	return fmt.Sprintf("%.3g%% of %d, %v", 100*b.Share, b.Of, b.Open)
}

// Failures is how many of the last calls have to fail to open it.
func (b Breaker) Failures() int { return max(1, int(math.Ceil(b.Share*float64(b.Of)-1e-9))) }

// Undo takes a step back when its unit fails for good. The step's own service does it.
type Undo struct {
	Step Step
	Cost Cost
}

// Limits are what a service takes at a time, by calls and messages alike.
type Limits struct {
	Workers int // that it works on; 0: the file sets no limit
	Queue   int // calls that wait for a worker before others are refused; 0: all wait
}

// Limits returns what a service takes at a time: what the first of its steps says that says something.
func (f *Flow) Limits(service string) Limits {
	var l Limits
	for _, row := range f.Rows {
		if row.Step.Service() == service {
			l.Workers, l.Queue = max(l.Workers, row.Workers), max(l.Queue, row.Queue)
		}
	}
	return l
}

// HasDeadlines tells whether a step of the flow has a timeout: then callers pass on how much time is left.
func (f *Flow) HasDeadlines() bool {
	return slices.ContainsFunc(f.Rows, func(r Row) bool { return r.Timeout > 0 })
}

// Undos lists the steps that take others back, in the order of the rows that they belong to.
func (f *Flow) Undos() []Step {
	var steps []Step
	for _, row := range f.Rows {
		if row.Undo != nil {
			steps = append(steps, row.Undo.Step)
		}
	}
	return steps
}

// Undone returns the row of the step that an undo takes back.
func (f *Flow) Undone(undo Step) (Row, bool) {
	i := slices.IndexFunc(f.Rows, func(r Row) bool { return r.Undo != nil && r.Undo.Step == undo })
	if i < 0 {
		return Row{}, false
	}
	return f.Rows[i], true
}

// Work returns what a step costs, be it one of the rows or one that takes a row back.
func (f *Flow) Work(step Step) (Row, bool) {
	if row, ok := f.Row(step); ok {
		return row, true
	}
	row, ok := f.Undone(step)
	if !ok {
		return Row{}, false
	}
	return Row{Step: step, Share: 1, Cost: row.Undo.Cost}, true
}

// policies says in words how the step is called and what its service takes, as a file has it.
func (r Row) policies() []string {
	var texts []string
	add := func(on bool, format string, args ...any) {
		if on {
			texts = append(texts, fmt.Sprintf(format, args...))
		}
	}
	add(r.Timeout > 0, "timeout %v", r.Timeout)
	add(r.Budget > 0 && r.Budget < 1, "budget %.3g%%", 100*r.Budget)
	add(r.Budget == 1, "budget none")
	if r.Breaker != nil {
		add(true, "breaker %v", r.Breaker)
	}
	add(r.Bulkhead > 0, "bulkhead %d", r.Bulkhead)
	add(r.Workers > 0, "workers %d", r.Workers)
	add(r.Queue > 0, "queue %d", r.Queue)
	add(r.Payload > 0, "payload %s", sizeText(r.Payload))
	if r.Undo != nil {
		add(true, "undo %s", r.Undo.Step)
	}
	return texts
}
