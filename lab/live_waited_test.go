package lab

import (
	"math"
	"testing"

	"tracelab/journey/compare"
	"tracelab/lab/rundir"
)

// TestALiveUnitWaitedAsLongAsItsSpan once its journey is whole: the client's clock runs on when a machine is busy, and would say that the unit was
// completed before its answer.
func TestALiveUnitWaitedAsLongAsItsSpan(t *testing.T) {
	measured, none := make([]float64, len(compare.Measures())), make([]float64, len(compare.Measures()))
	measured[measureIndex(compare.CallerWait)] = 56
	for i := range none {
		none[i] = math.NaN()
	}
	for name, c := range map[string]struct {
		complete bool
		values   []float64
		want     float64
	}{"not yet": {false, nil, 58}, "whole": {true, measured, 56}, "without a span of the client": {true, none, 58}} {
		u := keptUnit{record: &record{order: order{Order: rundir.Order{CallerWait: 58e6}}, complete: c.complete, values: c.values}}
		if got := u.waited(); got != c.want {
			t.Errorf("%s: %v ms, want %v", name, got, c.want)
		}
	}
}
