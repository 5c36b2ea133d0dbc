package services

import (
	"errors"
	"strings"
	"testing"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// TestAnOrderWhoseMessagesAreTooLargeIsRefused before it is accepted, in forms that have messages.
func TestAnOrderWhoseMessagesAreTooLargeIsRefused(t *testing.T) {
	work, err := newFlowWork(flows.Order())
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{node: &node{flow: work}}
	for _, c := range []struct {
		form     Form
		customer string
		refused  bool
	}{
		{Kafka, strings.Repeat("x", 65_000), true}, {Kafka, strings.Repeat("x", 40_000), false}, {Kafka, strings.Repeat("\x01", 20_000), true},
		{Kafka, "ada", false}, {GRPC, strings.Repeat("x", 65_000), false},
	} {
		plan := work.plan(Experiment{Form: c.form}, nil)
		err := k.checkRecords(plan, &orderpb.Order{Id: "a", Body: map[string]string{"customer": c.customer}})
		failed, ok := errors.AsType[*carrier.Failed](err)
		if (err != nil) != c.refused || c.refused && (!ok || failed.Reason() != carrier.TooLarge) {
			t.Errorf("%s with %d bytes: %v", c.form, len(c.customer), err)
		}
	}
}
