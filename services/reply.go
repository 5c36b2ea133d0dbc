package services

import (
	"context"
	"slices"
	"strconv"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Where several instances of the entry's service share a store, an order may become final at another one than that which keeps its client's call
// open. Then that one publishes it to UNIT.completed, with the order's id as the key and conversation, and every instance reads that topic under a
// group or queue of its own. What is told so is the end alone: the answer is made of the order's state in the store.

// replyCarrier carries the news of the end of a form's orders; "" where none is read here.
func replyCarrier(f *flows.Flow, form Form) flows.Carrier {
	c, ok := f.Column(form)
	if !ok || !c.Waits {
		return ""
	}
	for _, by := range flows.Carriers() {
		if by.IsMessage() && slices.ContainsFunc(f.Steps(), func(s Step) bool { return c.By[s] == by }) {
			return by
		}
	}
	return ""
}

// replies says which messages this instance gets all of, from a carrier.
func (n *node) replies(by flows.Carrier) carrier.OwnTopics {
	if n.keeper == nil || !n.keeper.ledger.about.Shared || !slices.ContainsFunc(n.flow.Forms(), func(form Form) bool { return replyCarrier(n.flow.Flow, form) == by }) {
		return carrier.OwnTopics{}
	}
	return carrier.OwnTopics{Topics: []string{n.flow.CompletedTopic()}, Group: n.name + ".replies." + strconv.FormatUint(n.keeper.ledger.about.Holder, 10), Wanted: n.keeper.ledger.awaited}
}

// ended counts an order that has become final, and tells the instance that waits for that, when it is another one.
func (k *keeper) ended(ctx context.Context, id string, end *ending) {
	k.metrics.ended(ctx, end)
	if end == nil || end.told || !k.ledger.about.Shared {
		return
	}
	by := replyCarrier(k.flow.Flow, end.form)
	if by == "" || k.brokers[by] == nil {
		return
	}
	event := &orderpb.Event{Order: &orderpb.Order{Id: id}, Steps: []string{string(k.flow.Last())}}
	if err := k.publish(ctx, by, k.flow.CompletedTopic(), event); err != nil {
		k.telemetry.Log.WarnContext(ctx, "an order has come to its end, and the instance that waits for that is not told: it asks the store", "id", id, "error", err)
	}
}
