package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tracelab/journey/compare"
	"tracelab/services"
)

// Faulted is who feels the faults of a run, and who hears of a failure, in one form.
type Faulted struct {
	Hit    HitOrders `json:"hit"`     // orders that a fault hit
	NotHit HitOrders `json:"not_hit"` // the others
	// FailedInAnswer are the orders of which the client was told in its answer that they failed, and after how long; of FailedLater it was told nothing,
	// because its answer came before the failure, be it a 2xx or that the work goes on; FailedUnanswered got no answer. All that failed are one of these.
	FailedInAnswer   int              `json:"failed_in_answer"`
	HeardAfter       *compare.Summary `json:"heard_after_ms"` // null without any
	FailedLater      int              `json:"failed_later"`
	EndedAfter       *compare.Summary `json:"ended_after_ms"` // the completion of FailedLater; null without any
	FailedUnanswered int              `json:"failed_unanswered"`
	Fired            []FiredFault     `json:"fired"` // one for each fault, in their order
}

// HitOrders are orders that a fault hit, or did not.
type HitOrders struct {
	Orders     int              `json:"orders"`
	CallerWait *compare.Summary `json:"caller_wait_ms"` // null without a complete journey
	Completion *compare.Summary `json:"completion_ms"`
}

// hits lists the faults that hit an order.
func (r *running) hits(key orderKey) []string {
	var hit []string
	for _, f := range r.Faults {
		e := r.experiment()
		e.Number = key.number
		if e.Hits(f) {
			hit = append(hit, f.String())
		}
	}
	return hit
}

// faulted compares the orders of a form that a fault hit with those that none did; it is nil without faults.
func (r *running) faulted(form services.Form) *Faulted {
	if len(r.Faults) == 0 {
		return nil
	}
	f := &Faulted{Fired: r.firedFaults(form)}
	wait, completion := measureIndex(compare.CallerWait), measureIndex(compare.Completion)
	var waits, completions [2][]float64
	var heard, ended []float64
	for _, o := range r.judge.records[form] {
		if o == nil || !o.placed {
			continue
		}
		side, at := &f.NotHit, 0
		if o.Hit = r.hits(o.key); len(o.Hit) > 0 {
			side, at = &f.Hit, 1
		}
		side.Orders++
		if v, ok := o.value(wait); ok {
			waits[at] = append(waits[at], v)
		}
		v, measured := o.value(completion)
		if measured {
			completions[at] = append(completions[at], v)
		}
		switch {
		case o.outcome() != "failed":
		case o.Status == 0:
			f.FailedUnanswered++
		case o.toldOfFailure():
			f.FailedInAnswer++
			heard = append(heard, float64(o.Response)/1e6)
		default:
			f.FailedLater++
			if measured {
				ended = append(ended, v)
			}
		}
	}
	f.NotHit.CallerWait, f.NotHit.Completion = summaryOf(waits[0]), summaryOf(completions[0])
	f.Hit.CallerWait, f.Hit.Completion = summaryOf(waits[1]), summaryOf(completions[1])
	f.HeardAfter, f.EndedAfter = summaryOf(heard), summaryOf(ended)
	return f
}

// toldOfFailure tells whether the client's answer told it that an order failed which did. One that was answered with a timeout while its work went on
// has failed later, of something else.
func (r *record) toldOfFailure() bool {
	if r.Answered() {
		return false
	}
	return !r.cutOff() || r.failed == nil || slices.ContainsFunc(r.failed.Failures, services.StepFailure.CutOff)
}

func summaryOf(values []float64) *compare.Summary {
	if len(values) == 0 {
		return nil
	}
	return new(compare.Summarize(values))
}

// unexplained says how many orders of a form have no 2xx answer though nothing explains it, and what came instead, or "".
func (j *judge) unexplained(form services.Form, explained func(*record) bool) string {
	reasons := map[string]int{}
	missing, placed := 0, 0
	for _, r := range j.records[form] {
		if r == nil || !r.placed {
			continue
		}
		placed++
		if r.Answered() || explained(r) {
			continue
		}
		missing++
		why := "no answer in time"
		if r.Status != 0 {
			why = fmt.Sprintf("%d %s", r.Status, r.Error)
		}
		reasons[why]++
	}
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %s no 2xx answer, and no fault explains it: %s", missing, j.unit.count(placed, "has", "have"), mostFrequent(reasons, 5))
}

// mostFrequent lists reasons with how often they occur, and sums up those behind the first few.
func mostFrequent(reasons map[string]int, most int) string {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if reasons[a] != reasons[b] {
			return reasons[b] - reasons[a]
		}
		return strings.Compare(a, b)
	})
	var texts []string
	rest := 0
	for i, name := range names {
		if i < most {
			texts = append(texts, fmt.Sprintf("%d × %s", reasons[name], name))
		} else {
			rest += reasons[name]
		}
	}
	if rest > 0 {
		texts = append(texts, fmt.Sprintf("%d × something else", rest))
	}
	return strings.Join(texts, "; ")
}
