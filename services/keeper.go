package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/vocabulary"
	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// handOverTimeout is how long a client waits for the broker to acknowledge the message that carries on.
const handOverTimeout = 5 * time.Second

// keeper is what the service of the entry step has besides: it accepts orders, keeps their state, holds the plan of the call forms and joins
// the branches of the others.
type keeper struct {
	*node
	ledger    *ledger
	mailbox   *mailbox
	backlogs  backlogs
	workersAt map[string]int
	outbox    *outbox // nil: messages are published at once
	metrics   orderMetrics
	lateNotes atomic.Int64 // orders whose state waits for the store

	noOutbox bool // overrides what the flow says
}

func newKeeper(n *node, config Config) (*keeper, error) {
	metrics, err := newOrderMetrics(n.telemetry, n.flow.Forms(), Accepted, Refused, Completed, Failed)
	if err != nil {
		return nil, err
	}
	k := &keeper{node: n, ledger: newLedger(n.flow.Flow, n.store.kept, n.store.units), mailbox: newMailbox(config.Mailbox, config.Workers, cmp.Or(n.flow.Timeout, carryOnTimeout)), metrics: metrics}
	k.noOutbox, k.workersAt = config.NoOutbox, workersAt(config)
	if k.ledger.about.Durable || slices.ContainsFunc(n.flow.Forms(), k.boxed) { // a process before may have left messages
		k.outbox = newOutbox(n, n.store.kept, config.Prefix)
		if err := k.outbox.measure(); err != nil {
			return nil, err
		}
	}
	n.httpServer.Plain("GET "+n.flow.Path+"/{id}", http.HandlerFunc(k.get))
	n.httpServer.Plain("GET /runs/{run}", http.HandlerFunc(k.accounts))
	n.httpServer.Plain("GET /runs/{run}"+listed, http.HandlerFunc(k.list))
	return k, nil
}

// listed is behind /runs/{run} the path of a run's orders, whatever the flow calls them.
const listed = "/orders"

// accept records an order and carries on with it. It answers when the plan has ended, or is handed over to a message.
func (k *keeper) accept(ctx context.Context, placement *orderpb.Event) (*orderpb.Receipt, error) {
	e, err := k.experimentOf(ctx, placement.GetOrder())
	if err != nil {
		k.metrics.count(ctx, otherForm, Refused)
		return nil, carrier.Fail("", carrier.BadRequest, err.Error())
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an order id: %w", err)
	}
	en, replay, failed := k.ledger.begin(ctx, e, placement.GetIdempotencyKey(), placement.GetOrder(), id.String())
	if failed != nil {
		k.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	if replay {
		return replayed(en)
	}
	answer, err := k.place(ctx, e, en)
	if err == nil {
		err = k.crashAt(ctx, e, faults.BeforeCommit)
	}
	if err == nil {
		k.ledger.answer(ctx, en, answer, nil)
		return answer, nil
	}
	if errors.Is(err, errCrashed) { // nothing more is noted, and no answer gets out
		return nil, err
	}
	failed = carrier.AsFailed(string(k.flow.Entry()), err)
	if !en.accepted {
		k.ledger.refuse(ctx, en)
		k.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	failed.OrderID = en.unit.ID
	k.ledger.answer(ctx, en, nil, failed)
	return nil, failed
}

func replayed(en *entry) (*orderpb.Receipt, error) {
	if en.failed != nil {
		return nil, en.failed
	}
	return en.answer, nil
}

// place does the step, records the order, and takes the plan as far as calls take it.
func (k *keeper) place(ctx context.Context, e Experiment, en *entry) (*orderpb.Receipt, error) {
	id, entry := en.unit.ID, k.flow.Entry()
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(KeyOrderID, id))
	ctx, err := withOrderID(ctx, id)
	if err != nil {
		return nil, err
	}
	plan := k.flow.plan(e, en.unit.Body)
	if !plan.EndsInCall() && !plan.CallsFromEntry() {
		// From here on the order goes on without the client; only the answer depends on it.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), handOverTimeout)
		defer cancel()
	}
	order := &orderpb.Order{Id: id, Body: en.unit.Body}
	e.mark(order)
	if err := k.checkRecords(plan, order); err != nil {
		return nil, err
	}
	accepted := &orderpb.Handling{Step: string(entry), Id: k.handlings.next()} // an order is new: there is no repeat
	x := k.newExecution(e, plan, order, entry, accepted)
	if err := k.admit(ctx, e, plan); err != nil {
		return nil, err
	}
	later := func() {} // gives the place in the mailbox back
	if plan.Early() {  // before the order is accepted
		if !k.mailbox.reserve() {
			return nil, carrier.Fail("", carrier.MailboxFull, fmt.Sprintf("%s carries on with %d %s already: place it again later, or give it a larger --mailbox", k.name, cap(k.mailbox.places), vocabulary.Plural(k.flow.Unit)))
		}
		x.only, later = plan.BeforeAnswer(), k.mailbox.release
	}
	defer func() { later() }()
	if err := k.perform(ctx, e, entry, false, order); err != nil {
		return nil, err
	}
	if plan.Waits {
		var forget func()
		en.ended, forget = k.ledger.await(id)
		defer forget()
	}
	messages, err := k.intoOutbox(ctx, x)
	if err != nil {
		return nil, err
	}
	x.held = k.ledger.about.Durable && (len(messages) == 0 || plan.Early() || plan.CallsFromEntry())
	if failed := k.ledger.accept(ctx, en, acceptance{handlings: []*orderpb.Handling{accepted}, messages: messages, held: x.held}); failed != nil {
		return nil, failed
	}
	if len(messages) > 0 {
		k.outbox.wake()
	}
	k.metrics.count(ctx, e.Form, Accepted)
	if err := k.crashAt(ctx, e, faults.AfterStore); err != nil {
		return nil, err
	}
	receipt, err := k.take(ctx, x, id)
	if err != nil {
		return nil, err
	}
	switch {
	case plan.Early():
		later = func() {}
		k.mailbox.post(ctx, func(ctx context.Context) { k.carryOnLater(ctx, x, id) })
	case plan.Waits:
		return k.awaitReply(ctx, en)
	}
	answer := &orderpb.Receipt{OrderId: id, Status: string(Accepted), Steps: receipt.GetSteps()}
	if plan.EndsInCall() {
		state, _, err := k.ledger.get(ctx, id)
		if err != nil {
			return nil, err
		}
		answer.Status = string(state.Status)
	}
	return answer, nil
}

// boxed tells whether the first messages of a form's orders go out by way of the outbox: where the flow says so, and with a store that outlives
// the process where it says nothing.
func (k *keeper) boxed(form Form) bool {
	on := k.flow.OutboxOf(form)
	return !k.noOutbox && (on == flows.On || on == flows.Unsaid && k.ledger.about.Durable)
}

// intoOutbox makes the messages that an order leads to as soon as it is accepted, for the transaction that accepts it; what comes later goes
// into the outbox by itself.
func (k *keeper) intoOutbox(ctx context.Context, x *execution) ([]store.Message, error) {
	if !k.boxed(x.exp.Form) {
		return nil, nil
	}
	x.publish = k.outbox.put
	var messages []store.Message
	for _, m := range x.firstMessages(ctx) {
		message, err := k.outbox.message(ctx, m.By, m.Topic, m.event)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	return messages, nil
}

// take takes an order's plan as far as calls take it now, and notes how it went.
func (k *keeper) take(ctx context.Context, x *execution, id string) (*orderpb.Receipt, error) {
	receipt, err := x.run(ctx)
	r := report{generation: x.order.GetGeneration(), handlings: receipt.GetHandlings(), steps: asSteps(receipt.GetSteps()), released: x.held && x.only == nil && x.handedOver && err == nil}
	if failed, ok := errors.AsType[*carrier.Failed](err); ok && (!errors.Is(err, errHandOver) || neverSent(err)) {
		r.failures = failed.Failures
	}
	if len(r.steps) == 1 && len(r.failures) == 0 && !r.released { // the order was accepted with the entry step
		return receipt, err
	}
	end, _, noted := k.ledger.note(ctx, id, r)
	k.ended(ctx, id, end)
	if noted != nil {
		k.noteLater(ctx, id, r)
	}
	if err == nil && noted != nil {
		return receipt, noted
	}
	if len(r.failures) > 0 {
		k.compensate(ctx, x.exp, x.plan, x.order, r.failures)
	}
	return receipt, err
}

// hear notes what leads to a step of this service: the finished steps and how they were handled. It tells whether the step is to be done: all
// branches have come, and the order has not failed.
func (k *keeper) hear(ctx context.Context, e Experiment, event *orderpb.Event, hop flows.Hop) (ready bool, err error) {
	ready, known, err := k.ledger.arrive(ctx, event, hop)
	if err != nil {
		return false, unheard(err)
	}
	if !known {
		return false, k.unknownOrder(ctx, e, event)
	}
	return ready, nil
}

// unheard is the error of news that could not be noted: a message is delivered again, and a caller is told to retry.
func unheard(err error) error { return fmt.Errorf("%w: %w", carrier.ErrUnfinished, err) }

// heard notes how a step of this service ended, and returns the error that it ended with. One that is not finished comes again with its message,
// and its last branch is the last again.
func (k *keeper) heard(ctx context.Context, receipt *orderpb.Receipt, err error, hop flows.Hop, event *orderpb.Event) error {
	id := event.GetOrder().GetId()
	var steps []Step
	if err == nil {
		steps = asSteps(receipt.GetSteps())
	}
	if len(steps)+len(receipt.GetHandlings()) > 0 {
		end, _, noted := k.ledger.note(ctx, id, report{generation: event.GetOrder().GetGeneration(), handlings: receipt.GetHandlings(), steps: steps})
		k.ended(ctx, id, end)
		if err == nil && noted != nil {
			err = unheard(noted)
		}
	}
	if errors.Is(err, carrier.ErrUnfinished) || errors.Is(err, errHandOver) {
		if failed := k.ledger.unarrive(ctx, event, hop); failed != nil {
			k.telemetry.Log.ErrorContext(ctx, "a branch that comes again counts as a repeat, and its order stays pending", "id", id, "error", failed)
		}
	}
	return err
}

// fail takes the message that ends an order.
func (k *keeper) fail(ctx context.Context, e Experiment, event *orderpb.Event) error {
	end, known, err := k.ledger.note(ctx, event.GetOrder().GetId(), report{generation: event.GetOrder().GetGeneration(), handlings: event.GetHandlings(), failures: event.GetFailures()})
	if err != nil {
		return unheard(err)
	}
	if !known {
		return k.unknownOrder(ctx, e, event)
	}
	k.ended(ctx, event.GetOrder().GetId(), end)
	return nil
}

// unknownOrder is a message of an order that the store does not have: it was accepted before a restart that forgot it, or so long
// ago that it is forgotten.
func (k *keeper) unknownOrder(ctx context.Context, e Experiment, event *orderpb.Event) error {
	if err := k.ledger.missed(ctx, e); err != nil {
		return unheard(err)
	}
	return carrier.Fail("", k.flow.Unit+"_unknown", "no "+k.flow.Unit+" "+event.GetOrder().GetId()+" here: "+k.name+" was restarted since it was accepted and keeps its state in memory, or has forgotten it")
}
