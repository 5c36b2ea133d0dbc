package services

import (
	"context"
	"maps"
	"sync"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// outboxAttempts is how often the outbox sends a message that the broker refuses for good, outboxLook apart. Then its order fails, and the next
// message of its key is sent. A broker that is away refuses nothing.
const outboxAttempts = 5

// refusals count how often messages of the outbox were refused. Messages of a key are sent one after another, so a key has at most one.
type refusals struct {
	mu    sync.Mutex
	times map[uint64]int // by the message's number
}

// count notes that a message was refused, and returns how often it has been.
func (r *refusals) count(id uint64) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == nil {
		r.times = map[uint64]int{}
	}
	r.times[id]++
	return r.times[id]
}

func (r *refusals) forget(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.times, id)
}

// givenUp reports whether a message is given up: it was refused too often, and its order has failed. The failure names the step that the message
// would have led to.
func (o *outbox) givenUp(m store.Message, err error) bool {
	log := o.node.telemetry.Log.With("carrier", m.Carrier, "topic", m.Topic, "key", m.Key, "error", err)
	failed := carrier.AsFailed("", err)
	if failed.Reason() != carrier.MessageRefused {
		log.Warn("a message stays in the outbox")
		return false
	}
	attempts := o.refused.count(m.ID)
	if attempts < outboxAttempts {
		log.Warn("a message was refused, and stays in the outbox", "attempt", attempts, "of", outboxAttempts)
		return false
	}
	failure := &orderpb.Failure{Step: string(o.stepBehind(m)), Reason: failed.Reason(), Detail: failed.Failures[0].GetDetail(), Attempts: uint32(attempts)} //nolint:gosec // attempts are bounded
	ctx := context.Background()
	event, undecodable := carrier.DecodeEvent(m.Value)
	end, _, noted := o.node.keeper.ledger.note(ctx, m.Key, report{generation: event.GetOrder().GetGeneration(), failures: []*orderpb.Failure{failure}})
	if noted != nil {
		log.Error("a message was refused, and its order's failure cannot be noted: trying again", "store", noted)
		return false
	}
	log.Error("a message was refused, and its order has failed", "attempts", attempts)
	o.node.keeper.ended(ctx, m.Key, end)
	if undecodable == nil {
		o.takeBack(m, event.GetOrder(), failure)
	}
	return true
}

// stepBehind is the first step that a message leads to.
func (o *outbox) stepBehind(m store.Message) Step {
	for _, row := range o.node.flow.Rows {
		if row.Message == m.Topic {
			return row.Step
		}
	}
	return ""
}

// takeBack undoes the steps of an order whose message was refused.
func (o *outbox) takeBack(m store.Message, order *orderpb.Order, failure *orderpb.Failure) {
	ctx := makerContext(o.node.telemetry.Propagator, maps.Clone(m.Headers))
	if e, err := o.node.experimentOf(ctx, order); err == nil {
		o.node.keeper.compensate(ctx, e, o.node.flow.plan(e, order.GetBody()), order, []*orderpb.Failure{failure})
	}
}
