package lab_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestWhatAKilledMailboxHeldIsLost: with a store on disk the orders that were accepted are known after orders was killed; those that it held in its
// mailbox are pending for ever, and the report says so. Those of the message form go on.
func TestWhatAKilledMailboxHeldIsLost(t *testing.T) {
	testkit.Unraced(t, "TestKilledServiceIsExplained")
	t.Parallel() // in virtual time
	file := filepath.Join(t.TempDir(), "store")
	disturbed(t, []services.Form{"ack", services.Kafka}, []string{"250ms:kill:orders", "1s:start:orders"}, func(t *testing.T, result *lab.Result) {
		ack, kafka := result.Forms["ack"].Orders, result.Forms[services.Kafka].Orders
		if ack.Pending == 0 || ack.PendingLost != ack.Pending || ack.Lost != 0 || ack.Accepted != ack.Completed+ack.Pending {
			t.Errorf("ack: %+v, want pending orders, all of them lost with the mailbox", ack)
		}
		if kafka.Pending != 0 || kafka.Lost != 0 || kafka.Completed == 0 {
			t.Errorf("kafka: %+v, want no order lost", kafka)
		}
		if told := strings.Join(append(result.Explained, result.Problems...), "\n"); !strings.Contains(told, "lost: they went on in the memory of a process that has ended") {
			t.Errorf("the report says %s", told)
		}
		if result.Stores != "file "+file+", outbox on" {
			t.Errorf("stores: %s", result.Stores)
		}
	}, func(c *lab.Config) { c.Store, c.Workers, c.Rate, c.Deadline = file, 1, 200, 5*time.Second })
}
