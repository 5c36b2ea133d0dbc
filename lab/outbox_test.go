package lab_test

import (
	"bytes"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestAnOutboxByFile: one run has a form with an outbox beside the same form without: while the broker is away the clients of the first are
// answered as ever, in memory, too, and none of its orders is lost.
func TestAnOutboxByFile(t *testing.T) {
	testkit.Unraced(t, "TestKilledBrokerKeepsItsRecords")
	t.Parallel() // in virtual time
	text, err := flows.Source("order")
	if err != nil {
		t.Fatal(err)
	}
	flow, err := flows.Parse("order.yaml", bytes.Replace(text, []byte("forms:\n"), []byte("forms:\n  boxed: {each: kafka, orders.Accept: grpc, outbox: on}\n"), 1))
	if err != nil {
		t.Fatal(err)
	}
	disturbed(t, []services.Form{services.Kafka, "boxed"}, []string{"1s:kill:kafka", "3s:start:kafka"}, func(t *testing.T, result *lab.Result) {
		kafka, boxed := result.Forms[services.Kafka].Orders, result.Forms["boxed"].Orders
		if kafka.Errors+kafka.Unanswered == 0 || boxed.Errors+boxed.Unanswered+boxed.Pending != 0 || boxed.Completed != boxed.Placed {
			t.Errorf("kafka %+v, boxed %+v: want errors of the first alone", kafka, boxed)
		}
		if result.Stores != "memory, outbox on in boxed" {
			t.Errorf("stores: %s", result.Stores)
		}
	}, func(c *lab.Config) { c.Flow, c.Timeout = flow, time.Second }) // half of the time for which the broker is away
}
