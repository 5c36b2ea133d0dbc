package services

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// keyLease is how long a placement has its idempotency key for itself. After that time its process may have been killed, so another placement
// with the key looks up what became of it.
const keyLease = 30 * time.Second

func keyInUse() *carrier.Failed {
	return carrier.Fail("", "idempotency_key_in_use", "the first request with this Idempotency-Key is still being worked on: ask again later")
}

// requestKey returns the hash of what is placed.
func requestKey(request *orderpb.Order) store.Key {
	words := []string{request.GetId()}
	for _, name := range slices.Sorted(maps.Keys(request.GetBody())) {
		words = append(words, name, request.GetBody()[name])
	}
	return store.KeyOf(words...)
}

// reserve reserves a unit's key. If the key was used before, reserve returns the answer to that placement, or a failure.
func (l *ledger) reserve(ctx context.Context, u *store.Unit, request store.Key) (before *entry, failed *carrier.Failed) {
	for range 2 {
		held, taken, err := l.store.Reserve(ctx, store.Reservation{Key: u.Key, Unit: u.ID, Request: request, Since: time.Now()})
		switch {
		case err != nil:
			return nil, l.storeFailed(err)
		case taken:
			return nil, nil
		case held.Request != request:
			return nil, carrier.Fail("", "idempotency_key_reused", "this Idempotency-Key belongs to another "+l.flow.Unit+": use a new one")
		case held.Answer != nil:
			return decodeAnswer(held)
		case time.Since(held.Since) < keyLease:
			return nil, keyInUse()
		}
		unit, err := l.store.Get(ctx, held.Unit)
		if err == nil {
			return answerOf(unit), nil
		}
		if errors.Is(err, store.ErrUnknown) { // it ended before there was an order
			err = l.store.Release(ctx, held.Key, held.Unit)
		}
		if err != nil {
			return nil, l.storeFailed(err)
		}
	}
	return nil, keyInUse()
}

// answer stores the answer to a placement, for a client that repeats the request with the same key.
func (l *ledger) answer(ctx context.Context, en *entry, answer *orderpb.Receipt, failed *carrier.Failed) {
	en.answer, en.failed = answer, failed
	if en.unit.Key == (store.Key{}) { // nobody can ask again
		return
	}
	text, err := encodeAnswer(answer, failed)
	if err != nil {
		return // a repeated request is answered from the order's state
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	_ = l.store.Answer(ctx, en.unit.Key, en.unit.ID, text) // the same
}

// The first byte of a stored answer says what follows.
const (
	answeredReceipt = 'r'
	answeredFailure = 'f'
)

func encodeAnswer(answer *orderpb.Receipt, failed *carrier.Failed) ([]byte, error) {
	if failed != nil {
		return proto.MarshalOptions{}.MarshalAppend([]byte{answeredFailure}, &orderpb.Failures{Failures: failed.Failures, OrderId: failed.OrderID})
	}
	return proto.MarshalOptions{}.MarshalAppend([]byte{answeredReceipt}, answer)
}

func decodeAnswer(r store.Reservation) (*entry, *carrier.Failed) {
	en := &entry{unit: &store.Unit{ID: r.Unit, Key: r.Key}, accepted: true}
	var err error
	if r.Answer[0] == answeredFailure {
		failures := &orderpb.Failures{}
		err = proto.Unmarshal(r.Answer[1:], failures)
		en.failed = &carrier.Failed{Failures: failures.GetFailures(), OrderID: failures.GetOrderId()}
	} else {
		en.answer = &orderpb.Receipt{}
		err = proto.Unmarshal(r.Answer[1:], en.answer)
	}
	if err != nil {
		return nil, carrier.Fail("", carrier.Internal, "the stored answer cannot be read: "+err.Error())
	}
	return en, nil
}

// answerOf returns the answer to a placement whose own answer is not stored: the order's current state.
func answerOf(u *store.Unit) *entry {
	en := &entry{unit: u, accepted: true}
	if Status(u.Status) == Failed {
		en.failed = failedOf(u)
		return en
	}
	en.answer = &orderpb.Receipt{OrderId: u.ID, Status: u.Status, Steps: u.Steps}
	return en
}

// failedOf returns the failure of an order that has failed.
func failedOf(u *store.Unit) *carrier.Failed {
	failed := &carrier.Failed{OrderID: u.ID}
	for _, f := range u.Failures {
		failed.Failures = append(failed.Failures, &orderpb.Failure{Step: f.Step, Reason: f.Reason, Detail: f.Detail})
	}
	if len(failed.Failures) == 0 {
		failed.Failures = carrier.Fail("", carrier.Internal, "it failed without a reason").Failures
	}
	return failed
}
