package services

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"tracelab/services/internal/carrier"
	carrierhttp "tracelab/services/internal/carrier/http"
)

// CallCounts say how the calls to one step went, in one form of a run. Only steps with a call policy or an undo are counted.
type CallCounts struct {
	Calls        int `json:"calls,omitempty"`         // each once, however many attempts it took
	Retries      int `json:"retries,omitempty"`       // attempts behind the first ones
	OverBudget   int `json:"over_budget,omitempty"`   // retries that the budget did not let through
	NotBegun     int `json:"not_begun,omitempty"`     // attempts that were not made: their deadline had passed
	BreakerOpen  int `json:"breaker_open,omitempty"`  // attempts that an open breaker refused
	BulkheadFull int `json:"bulkhead_full,omitempty"` // attempts that a full bulkhead refused
	QueueFull    int `json:"queue_full,omitempty"`    // attempts that the service refused, because its queue was full
	Trips        int `json:"breaker_trips,omitempty"` // times that a breaker opened
	Undone       int `json:"undone,omitempty"`        // times that the step was taken back
	UndoFailed   int `json:"undo_failed,omitempty"`   // times that it could not be taken back
	NotUndone    int `json:"not_undone,omitempty"`    // times that it was to be, and had not been done, or was taken back already
}

// RefusedCall tells whether the problem type of an answer says that a call behind it was refused before its step began: by an open breaker, a full
// bulkhead or a full queue.
func RefusedCall(problem string) bool { return carrier.Refused(problem) }

func (c *CallCounts) add(other CallCounts) {
	c.Calls += other.Calls
	c.Retries += other.Retries
	c.OverBudget += other.OverBudget
	c.NotBegun += other.NotBegun
	c.BreakerOpen += other.BreakerOpen
	c.BulkheadFull += other.BulkheadFull
	c.QueueFull += other.QueueFull
	c.Trips += other.Trips
	c.Undone += other.Undone
	c.NotUndone += other.NotUndone
	c.UndoFailed += other.UndoFailed
}

// Refused is how many attempts were refused before the step began.
func (c CallCounts) Refused() int { return c.BreakerOpen + c.BulkheadFull + c.QueueFull }

// String lists what there is to say, "" for nothing.
func (c CallCounts) String() string {
	var texts []string
	for _, count := range []struct {
		n    int
		what string
	}{
		{c.Calls, "calls"}, {c.Retries, "retries"}, {c.OverBudget, "retries over the budget"}, {c.NotBegun, "not begun: no time left"},
		{c.BreakerOpen, "refused by an open breaker"}, {c.BulkheadFull, "refused by a full bulkhead"}, {c.QueueFull, "refused by a full queue"},
		{c.Trips, "times that a breaker opened"}, {c.Undone, "undone"}, {c.UndoFailed, "not undone: it failed"}, {c.NotUndone, "nothing to undo"},
	} {
		if count.n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	return strings.Join(texts, ", ")
}

// CallReport is the body of GET /runs/{run}/calls: how calls went, by form and step.
type CallReport struct {
	Process string                       `json:"process"` // of one or more services
	Forms   map[Form]map[Step]CallCounts `json:"forms"`
	Silent  map[string]string            `json:"silent,omitempty"` // services that gave no answer, with the reason
}

// mostCounted is how many runs have counts of calls; with more, the oldest run is forgotten.
const mostCounted = 200

// callCounts are the counts of the last runs, of all services of a process.
type callCounts struct {
	mu    sync.Mutex
	runs  map[string]map[Form]map[Step]*CallCounts
	byAge []string
}

// count changes the counts of a step.
func (c *callCounts) count(e Experiment, step Step, change func(*CallCounts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	forms := c.runs[e.Run]
	if forms == nil {
		if c.runs == nil {
			c.runs = map[string]map[Form]map[Step]*CallCounts{}
		}
		if len(c.byAge) >= mostCounted {
			delete(c.runs, c.byAge[0])
			c.byAge = slices.Delete(c.byAge, 0, 1)
		}
		forms = map[Form]map[Step]*CallCounts{}
		c.runs[e.Run], c.byAge = forms, append(c.byAge, e.Run)
	}
	if forms[e.Form] == nil {
		forms[e.Form] = map[Step]*CallCounts{}
	}
	if forms[e.Form][step] == nil {
		forms[e.Form][step] = &CallCounts{}
	}
	change(forms[e.Form][step])
}

// of copies the counts of a run.
func (c *callCounts) of(run string) map[Form]map[Step]CallCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	forms := map[Form]map[Step]CallCounts{}
	for form, steps := range c.runs[run] {
		forms[form] = map[Step]CallCounts{}
		for step, counts := range steps {
			forms[form][step] = *counts
		}
	}
	return forms
}

// reportCalls answers GET /runs/{run}/calls/here.
func (n *node) reportCalls(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, CallReport{Process: n.process, Forms: n.calls.of(r.PathValue("run"))})
}

// callAnswerLimit is how much of a service's answer about calls is read, in bytes.
const callAnswerLimit = 1 << 20

// reportAllCalls answers GET /runs/{run}/calls: one sum over all processes, each counted once however many services it has.
func (g *gateway) reportAllCalls(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, g.allCalls(r.Context(), r.PathValue("run")))
}

func (g *gateway) allCalls(ctx context.Context, run string) CallReport {
	sum := CallReport{Process: "all", Forms: g.calls.of(run)}
	sum.Silent = gatherReports(ctx, g, run, "calls", callAnswerLimit, func(one CallReport) string { return one.Process }, sum.add)
	return sum
}

func (r *CallReport) add(other CallReport) {
	for form, steps := range other.Forms {
		if r.Forms[form] == nil {
			r.Forms[form] = maps.Clone(steps)
			continue
		}
		for step, counts := range steps {
			sum := r.Forms[form][step]
			sum.add(counts)
			r.Forms[form][step] = sum
		}
	}
}
