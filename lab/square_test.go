package lab_test

import (
	"math"
	"strings"
	"testing"

	"tracelab/internal/testkit"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestTheSquare: a run of the four corners tells what the early answer and the broker change. In virtual time the early answer makes the caller wait
// less, with calls and with messages, and the completion of calls stays the same to the nanosecond.
func TestTheSquare(t *testing.T) {
	testkit.Unraced(t, "TestARunOfAnyFlow")
	t.Parallel() // in virtual time
	_, corners, err := flows.Order().WithCorners()
	if err != nil {
		t.Fatal(err)
	}
	virtually(t, func(c *lab.Config) { c.Forms, c.Orders = corners.Forms(), 8 }, func(t *testing.T, result *lab.Result) {
		if len(result.Problems) > 0 || len(result.Square) != 10 {
			t.Fatalf("problems %q, %d effects, want none and 10", result.Problems, len(result.Square))
		}
		for _, s := range result.Square {
			if !s.Paired || s.N != 8 || s.Delta == nil || s.Low == nil {
				t.Errorf("%s of %s: %+v, want eight pairs and an interval", s.Effect, s.Measure, s)
				continue
			}
			early := strings.HasPrefix(s.Effect, "early answer")
			if early && s.Measure == compare.CallerWait && s.Verdict != compare.VerdictLess {
				t.Errorf("%s: the caller waits %v ms longer", s.Effect, *s.Delta)
			}
			if s.Effect == "early answer with calls" && s.Measure == compare.Completion && math.Abs(*s.Delta) > 1e-6 {
				t.Errorf("%s changes the completion by %v ms", s.Effect, *s.Delta)
			}
		}
		var text strings.Builder
		if err := result.WriteText(&text, format.Style{}); err != nil || !strings.Contains(text.String(), "early answer with messages  caller wait") {
			t.Errorf("%v: the text does not show the square:\n%s", err, text.String())
		}
	})
	if two := quickly(t, func(c *lab.Config) { c.Forms, c.Orders = []services.Form{services.GRPC, services.Kafka}, 1 }); len(two.Square) != 0 {
		t.Errorf("two forms make a square: %+v", two.Square)
	}
}
