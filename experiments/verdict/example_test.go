package verdict_test

import (
	"fmt"
	"math"
	"time"

	"tracelab/experiments/verdict"
)

// Five runs without a fault and with it, paired by seed: the mean wait of the orders that were not hit, in milliseconds.
func ExampleJudge() {
	added, err := verdict.PairedRuns([]float64{52, 49, 55, 51, 50}, []float64{503, 548, 489, 530, 512})
	if err != nil {
		fmt.Println(err)
		return
	}
	seen := verdict.Conditions{
		Faults:    []verdict.Fault{{Name: "payment:delay=200ms@0.5", Drawn: 500, Fired: 500}},
		Generator: &verdict.Generator{StartLag: 400 * time.Microsecond},
		Delta:     20 * time.Millisecond,
	}
	part := verdict.Part{Name: "added wait, ms", Estimate: added, Want: verdict.MoreThan(20)}
	v := verdict.Judge(seen.Gates(), part)
	fmt.Println(v.Word+":", v.Why())

	seen.Faults[0].Fired = 0
	v = verdict.Judge(seen.Gates(), part)
	fmt.Println(v.Word+":", v.Why())
	// Output:
	// holds: added wait, ms is 465, 433.8 to 496.2, want more than 20
	// not valid: fault payment:delay=200ms@0.5 fired as drawn: fired 0 times, drawn 500 times; start the services with faults allowed, and look whether the orders reach the faulty service
}

// A sentence of two parts, one of which is open.
func ExampleVerdict_Settle() {
	calls, _ := verdict.Share(87, 120)
	messages, _ := verdict.Share(2, 120)
	v := verdict.Judge(nil,
		verdict.Part{Name: "failed with calls", Estimate: calls, Want: verdict.AtLeast(0.5)},
		verdict.Part{Name: "failed with messages", Estimate: messages, Want: verdict.AtMost(0.05)})
	need, ok := v.Settle()
	fmt.Println(v.Word+":", v.Why())
	fmt.Println(need.Part, need.N, ok)
	// Output:
	// not shown: failed with messages is 0.01667, 0.002025 to 0.05891, want at most 0.05; 165 orders would settle it, if the figures stay as they are
	// failed with messages 165 true
}

// Of three sentences, one that holds alone may be chance.
func ExampleCorrect() {
	estimate := func(values ...float64) verdict.Estimate {
		e, err := verdict.Runs(values)
		if err != nil {
			return verdict.Estimate{}
		}
		return e
	}
	for _, v := range verdict.Correct([]verdict.Verdict{
		verdict.Judge(nil, verdict.Part{Name: "wait, ms", Estimate: estimate(470, 453, 479, 458, 476), Want: verdict.MoreThan(20)}),
		verdict.Judge(nil, verdict.Part{Name: "drain, ms", Estimate: estimate(60, 25, 71, 30, 52), Want: verdict.MoreThan(20)}),
		verdict.Judge(nil, verdict.Part{Name: "errors, %", Estimate: estimate(4, 7, 3, 6, 5), Want: verdict.AtMost(5)}),
	}) {
		fmt.Println(v.Word+":", v.Why())
	}
	// Output:
	// holds: wait, ms is 467.2, 447.2 to 487.2, want more than 20
	// not shown: holds alone, but not among 3 verdicts: drain, ms is 47.6, 16.92 to 78.28, want more than 20; 6 runs would settle it, if the figures stay as they are
	// not shown: errors, % is 5, 3.037 to 6.963, want at most 5; no number of repetitions would settle it, if the figures stay as they are
}

// Failed orders are the longest waits: where most fail, so is the median.
func ExampleQuantile() {
	var waits []float64
	for i := range 40 {
		wait := float64(20 + i%7)
		if i%3 > 0 {
			wait = math.Inf(1)
		}
		waits = append(waits, wait)
	}
	e, err := verdict.Quantile(waits, 0.5)
	low, high := e.Interval(0.95)
	fmt.Println(e.Value, low, high, err)
	// Output: +Inf 26 +Inf <nil>
}
