package lab_test

import (
	"strings"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// TestACrashIsExplained: a crash takes spans with it, and answers that others wait for. The run does not wait for what cannot come, and says
// of whom it comes.
func TestACrashIsExplained(t *testing.T) {
	t.Parallel() // in virtual time
	var began time.Time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, nil, func(t *testing.T, result *lab.Result) {
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the run took %v: it waited for spans that cannot come", took)
		}
		for _, problem := range result.Problems { // what was done is forgotten with the memory
			if !strings.Contains(problem, "steps were done more than once, with effect (as may come of fault inventory:crash") {
				t.Errorf("problem: %s", problem)
			}
		}
		calls := result.Forms[services.GRPC].Orders
		explained := strings.Join(result.Explained, "\n")
		if calls.Errors+calls.Unanswered <= result.Forms[services.GRPC].Faulted.Fired[0].Fired || !strings.Contains(explained, "× fault inventory:crash=before-commit@0.1") {
			t.Errorf("calls: %+v; nobody but the order that crashed inventory felt it, or it is not said:\n%s", calls, explained)
		}
		if !strings.Contains(explained, ": spans that were open in inventory when it crashed are lost with it (comes of fault inventory:crash=before-commit@0.1)") {
			t.Errorf("explained:\n%s", explained)
		}
	}, func(c *lab.Config) {
		began = time.Now()
		c.Faults = faults("inventory:crash=before-commit@0.1")
		c.Rate, c.Deadline = 800, time.Minute // many orders are under way when it crashes
	})
}
