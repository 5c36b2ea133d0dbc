package lab_test

import (
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// TestWhoIsToldOfAFailure: every order that failed was told of in its answer, or later, or had no answer. An answer that says that the work goes on
// tells of no failure, though its status is an error's; one whose call was cut off, and failed by that, does.
func TestWhoIsToldOfAFailure(t *testing.T) {
	t.Parallel() // in virtual time
	virtually(t, func(c *lab.Config) {
		c.Orders, c.Rate, c.WarmUp, c.Timeout, c.Deadline = 20, 20, 0, 4500*time.Millisecond, time.Minute
		c.Forms = []services.Form{services.REST, services.GRPC, services.Kafka, "reply"}
		c.Faults = faults("payment:delay=5s@0.5", "shipping:error=no_truck@0.5")
	}, func(t *testing.T, result *lab.Result) {
		for form, want := range map[services.Form]func(f lab.Faulted) bool{
			services.REST:  func(f lab.Faulted) bool { return f.FailedInAnswer > 0 && f.FailedLater == 0 && f.FailedUnanswered > 0 },
			services.GRPC:  func(f lab.Faulted) bool { return f.FailedInAnswer > 0 && f.FailedLater == 0 && f.FailedUnanswered > 0 },
			services.Kafka: func(f lab.Faulted) bool { return f.FailedInAnswer == 0 && f.FailedLater > 0 && f.FailedUnanswered == 0 },
			"reply":        func(f lab.Faulted) bool { return f.FailedInAnswer > 0 && f.FailedLater > 0 && f.FailedUnanswered == 0 },
		} {
			r := result.Forms[form]
			if f := *r.Faulted; !want(f) || f.FailedInAnswer+f.FailedLater+f.FailedUnanswered != r.Orders.Failed {
				t.Errorf("%s: told in the answer %d, later %d, no answer %d, of %d that failed", form, f.FailedInAnswer, f.FailedLater, f.FailedUnanswered, r.Orders.Failed)
			}
		}
	})
}
