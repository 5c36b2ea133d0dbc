//go:build stack

package lab_test

import (
	"path/filepath"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
)

// TestEveryKindOfFaultOverRabbitMQ lets each act on half of a few orders on a real RabbitMQ, whose broker decides what becomes of a message that is sent
// twice, overtaken, or unreadable, and with a store, as a crash forgets what is in memory: it fires as drawn, the sums hold, and nothing is done twice. double-traceparent is refused: TestWhatCanBeDoneToABroker.
func TestEveryKindOfFaultOverRabbitMQ(t *testing.T) {
	address := rabbitAddress(t)
	for fault, c := range map[string]struct {
		failed  int // orders
		again   bool
		skipped int64 // messages that nobody can read
	}{
		"payment:delay=50ms@0.5":             {},
		"payment:error=payment_declined@0.5": {failed: 5},
		"payment:hang=100ms@0.5":             {failed: 5},
		"inventory:drop-context@0.5":         {},
		"inventory:drop-baggage@0.5":         {},
		"inventory:unsample@0.5":             {},
		"inventory:duplicate@0.5":            {again: true},
		"inventory:reorder=200ms@0.5":        {},
		"inventory:poison@0.5":               {skipped: 5},
		"payment:crash=after-store@0.5":      {again: true},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			const orders = 10
			result, err := lab.Run(t.Context(), lab.Config{
				Forms: []services.Form{"rabbitmq"}, Orders: orders, Rate: 50, Seed: 1, Relation: relation("both"), Faults: faults(fault),
				Store: filepath.Join(t.TempDir(), "store"), Timeout: 30 * time.Second, Deadline: 10 * time.Second, RabbitMQ: []string{address}, Out: t.TempDir(), Version: "test",
			})
			if err != nil {
				t.Fatal(err)
			}
			balanced(t, result)
			f := result.Forms["rabbitmq"]
			t.Logf("%+v, %+v, %d incomplete, fired %v, problems %q, explained %q", f.Orders, f.Effects, f.Incomplete, f.Faulted.Fired, result.Problems, result.Explained)
			if len(result.Problems) > 0 || f.Faulted.Fired[0].Fired != orders/2 {
				t.Errorf("fired %v, problems %q", f.Faulted.Fired, result.Problems)
			}
			if a := f.Orders; a.Completed != orders-c.failed || a.Failed != c.failed || f.Effects.Twice > 0 || c.again != (f.Effects.Skipped > 0) || result.Skipped != c.skipped {
				t.Errorf("%+v, %+v, %d messages skipped: want %d failed, some done again: %v, and %d skipped", a, f.Effects, result.Skipped, c.failed, c.again, c.skipped)
			}
		})
	}
}
