package services

import (
	"fmt"
	"math"
	"strings"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

const (
	mostEscaped    = 6   // bytes that JSON makes of one
	recordOverhead = 512 // bytes of a message for each step, at the most: its name has up to 80 characters
)

// checkRecords refuses an order before it is accepted when one of its messages would be larger than consumers read.
func (k *keeper) checkRecords(plan *flows.Plan, order *orderpb.Order) error {
	event := &orderpb.Event{Order: order, Redriven: true}
	payload, messages := 0, false
	for _, hop := range plan.Hops {
		event.Steps = append(event.Steps, string(hop.Step))
		event.Handlings = append(event.Handlings, &orderpb.Handling{Step: string(hop.Step), Id: math.MaxUint64, Repeats: math.MaxUint64, Attempt: math.MaxUint32, Before: math.MaxUint32, Generation: math.MaxUint32})
		if hop.By.IsMessage() {
			row, _ := k.flow.Row(hop.Step)
			payload, messages = max(payload, row.Payload), true
		}
	}
	size := payload
	for name, value := range order.GetBody() {
		size += mostEscaped * (len(name) + len(value))
	}
	if !messages || size+recordOverhead*len(plan.Hops) < carrier.MaxBody {
		return nil
	}
	event.Payload = strings.Repeat("x", payload)
	if _, err := carrier.EncodeEvent("its steps", event); err != nil {
		return fmt.Errorf("%s too large for this form's messages: %w", k.flow.a(), err)
	}
	return nil
}
