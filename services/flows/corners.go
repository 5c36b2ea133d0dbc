package flows

import (
	"errors"
	"fmt"
	"slices"
)

// Corners are the forms of a flow that take the early answer and the broker apart: calls or messages behind the entry, answered when all is
// done or early.
type Corners struct{ Calls, Ack, Reply, Messages Form }

// Forms lists the four: calls that are answered when done, calls answered early, messages answered when done, messages answered early.
func (c Corners) Forms() []Form { return []Form{c.Calls, c.Ack, c.Reply, c.Messages} }

// WithCorners returns the flow with all four corners: its own forms where they are that, and derived ones for the others. It fails for a flow
// whose steps cannot all be led to by messages.
func (f *Flow) WithCorners() (*Flow, Corners, error) {
	extended := *f
	extended.Columns = slices.Clone(f.Columns)
	var c Corners
	entry := f.Entry()
	for _, corner := range []struct {
		to     *Form
		column Column
	}{
		{&c.Calls, Column{Form: GRPC, By: f.carriedBy(RPC)}}, {&c.Ack, Column{Form: "ack", By: f.carriedBy(RPC), Answer: entry}},
		{&c.Reply, Column{Form: "reply", By: f.carriedBy(KafkaLog), Waits: true}}, {&c.Messages, Column{Form: Kafka, By: f.carriedBy(KafkaLog)}},
	} {
		if i := slices.IndexFunc(f.Columns, func(have Column) bool { return sameButName(have, corner.column, entry) }); i >= 0 {
			*corner.to = f.Columns[i].Form
			continue
		}
		if slices.Contains(f.Forms(), corner.column.Form) { // another form has the name
			corner.column.Form = "corner-" + corner.column.Form
		}
		*corner.to = corner.column.Form
		extended.Columns = append(extended.Columns, corner.column)
		for _, row := range f.Rows[1:] {
			if row.Message == "" && corner.column.By[row.Step].IsMessage() {
				return nil, c, fmt.Errorf("flow %s has no form of messages: %s has no topic: give it a message", f.Name, row.Step)
			}
		}
		if _, err := extended.Plan(corner.column.Form); err != nil {
			if join, ok := errors.AsType[*joinError](err); ok {
				return nil, c, fmt.Errorf("flow %s has no form of messages: %w", f.Name, join)
			}
			return nil, c, err
		}
	}
	return &extended, c, nil
}

// carriedBy carries every step but the entry, which the gateway calls over gRPC.
func (f *Flow) carriedBy(by Carrier) map[Step]Carrier {
	all := map[Step]Carrier{}
	for _, step := range f.Steps() {
		all[step] = by
	}
	all[f.Entry()] = RPC
	return all
}

// sameButName tells whether two columns are the same form under two names.
func sameButName(a, b Column, entry Step) bool {
	for step, by := range a.By {
		if step != entry && by != b.By[step] {
			return false
		}
	}
	return a.View == nil && b.View == nil && len(a.Batches)+len(b.Batches) == 0 && a.Answer == b.Answer && a.Waits == b.Waits && a.Outbox == b.Outbox && !a.Callee && !a.OneByOne
}
