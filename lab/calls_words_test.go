package lab

import (
	"strings"
	"testing"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestCallLinesStandInColumns whatever the forms and steps are called.
func TestCallLinesStandInColumns(t *testing.T) {
	of := func(step services.Step) *FormResult {
		return &FormResult{Calls: map[services.Step]services.CallCounts{step: {Undone: 7}}}
	}
	r := Result{
		Provenance: rundir.Provenance{FormOrder: []string{"rest", "hybrid"}},
		Forms:      map[services.Form]*FormResult{"rest": of("inventory.Release"), "hybrid": of("a.B")},
	}
	want := "rest    inventory.Release  7 undone\nhybrid  a.B                7 undone"
	if got := strings.Join(r.callLines(), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
