package services

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	carrierhttp "tracelab/services/internal/carrier/http"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// handOverTimeout is how long a client waits for the broker to acknowledge the message that carries on.
const handOverTimeout = 5 * time.Second

// orders accepts orders, keeps their state, holds the plan of the call forms and joins the branches of the others.
type orders struct {
	orderpb.UnimplementedOrdersServer
	*node
	ledger  *ledger
	metrics orderMetrics
}

func newOrders(n *node, remembered int) (*orders, error) {
	metrics, err := newOrderMetrics(n.telemetry, Accepted, Refused, Completed, Failed)
	if err != nil {
		return nil, err
	}
	o := &orders{node: n, ledger: newLedger(remembered), metrics: metrics}
	orderpb.RegisterOrdersServer(n.grpcServer, o)
	n.httpServer.Traced("POST /"+Accept.Verb(), carrierhttp.Call(o.Accept))
	n.httpServer.Plain("GET /orders/{id}", http.HandlerFunc(o.get))
	n.httpServer.Plain("GET /runs/{run}", http.HandlerFunc(o.accounts))
	n.httpServer.Plain("GET /runs/{run}/orders", http.HandlerFunc(o.list))
	n.subscribe(FailureTopic, o.fail)
	n.subscribe(fulfilledTopic, o.arrive)
	return o, nil
}

// Accept records an order and carries on with it. It answers when the plan has ended, or is handed over to a message.
func (o *orders) Accept(ctx context.Context, placement *orderpb.Placement) (*orderpb.Acceptance, error) {
	e, err := experimentOf(ctx)
	if err != nil {
		o.metrics.count(ctx, otherForm, Refused)
		return nil, carrier.Fail("", carrier.BadRequest, err.Error())
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make an order id: %w", err)
	}
	en, replay, failed := o.ledger.begin(e, placement.GetIdempotencyKey(), placement.GetOrder(), id.String())
	if failed != nil {
		o.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	if replay {
		return replayed(en)
	}
	answer, err := o.place(ctx, e, en)
	if err == nil {
		o.ledger.answer(en, answer, nil)
		return answer, nil
	}
	failed = carrier.AsFailed(string(Accept), err)
	if !en.accepted {
		o.ledger.refuse(en)
		o.metrics.count(ctx, e.Form, Refused)
		return nil, failed
	}
	failed.OrderID = en.state.ID
	o.ledger.answer(en, nil, failed)
	return nil, failed
}

func replayed(en *entry) (*orderpb.Acceptance, error) {
	if en.failed != nil {
		return nil, en.failed
	}
	return en.answer, nil
}

// place does the step, records the order, and takes the plan as far as calls take it.
func (o *orders) place(ctx context.Context, e Experiment, en *entry) (*orderpb.Acceptance, error) {
	id := en.state.ID
	trace.SpanFromContext(ctx).SetAttributes(attribute.String(KeyOrderID, id))
	ctx, err := withOrderID(ctx, id)
	if err != nil {
		return nil, err
	}
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return nil, err
	}
	if hop, _ := table.Hop(Reserve); hop.By[e.Form] == Message {
		// From here on the order goes on without the client; only the answer depends on it.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), handOverTimeout)
		defer cancel()
	}
	accepted := &orderpb.Handling{Step: string(Accept), Id: o.handlings.next()} // an order is new: there is no repeat
	if err := o.perform(ctx, e, Accept, false, func(context.Context) error { return nil }); err != nil {
		return nil, err
	}
	if failed := o.ledger.accept(en); failed != nil {
		return nil, failed
	}
	o.metrics.count(ctx, e.Form, Accepted)
	order := &orderpb.Order{Id: id, Customer: en.request.GetCustomer(), Sku: en.request.GetSku(), Quantity: en.request.GetQuantity()}
	receipt, err := o.carryOn(ctx, e, order, Accept, accepted)
	o.ledger.handled(id, receipt.GetHandlings()...)
	o.metrics.ended(ctx, o.ledger.did(id, asSteps(receipt.GetSteps())...))
	if err != nil {
		if failed, ok := errors.AsType[*carrier.Failed](err); ok && !errors.Is(err, errHandOver) {
			end, _ := o.ledger.fail(id, failed.Failures)
			o.metrics.ended(ctx, end)
		}
		return nil, err
	}
	state, _ := o.ledger.get(id)
	answer := &orderpb.Acceptance{OrderId: id, Status: string(Accepted), Steps: receipt.GetSteps()}
	if table.EndsInCall(e.Form) {
		answer.Status = string(state.Status)
	}
	return answer, nil
}

// arrive takes the message of one finished branch. The third runs the one orders.Complete under its process span.
func (o *orders) arrive(ctx context.Context, e Experiment, event *orderpb.Event) error {
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return err
	}
	hop, _ := table.Hop(Complete)
	id, step := event.GetOrder().GetId(), Step(event.GetStep())
	o.ledger.handled(id, event.GetHandlings()...)
	last, known := o.ledger.arrive(id, step, hop.After)
	if !known {
		return o.unknownOrder(e, event)
	}
	if !last {
		return nil
	}
	handling, err := o.serveMessage(ctx, e, Complete, event, func(context.Context, *orderpb.Order) error { return nil })
	if handling != nil {
		o.ledger.handled(id, handling)
	}
	if errors.Is(err, carrier.ErrUnfinished) {
		o.ledger.unarrive(id, step) // the message comes again, and is the last one again
	}
	if err == nil {
		o.metrics.ended(ctx, o.ledger.did(id, Complete))
	}
	return err
}

// fail takes the message that ends an order.
func (o *orders) fail(ctx context.Context, e Experiment, event *orderpb.Event) error {
	id := event.GetOrder().GetId()
	o.ledger.handled(id, event.GetHandlings()...)
	end, known := o.ledger.fail(id, event.GetFailures())
	if !known {
		return o.unknownOrder(e, event)
	}
	o.metrics.ended(ctx, end)
	return nil
}

// unknownOrder is a message of an order that this process does not know: it was accepted before a restart, or so long
// ago that it is forgotten.
func (o *orders) unknownOrder(e Experiment, event *orderpb.Event) error {
	o.ledger.missed(e)
	return carrier.Fail("", "order_unknown", "no order "+event.GetOrder().GetId()+" in this process: orders was restarted since it was accepted, or has forgotten it")
}

func (o *orders) get(w http.ResponseWriter, r *http.Request) {
	state, ok := o.ledger.get(r.PathValue("id"))
	if !ok {
		carrierhttp.WriteProblem(w, carrier.Fail("", "order_not_found", "no order "+r.PathValue("id")))
		return
	}
	carrierhttp.WriteJSON(w, http.StatusOK, state)
}

func (o *orders) accounts(w http.ResponseWriter, r *http.Request) {
	carrierhttp.WriteJSON(w, http.StatusOK, o.ledger.summary(r.PathValue("run")))
}

// list answers one page of a run's orders, by age. The header Link leads to the next page while there is one.
func (o *orders) list(w http.ResponseWriter, r *http.Request) {
	after, limit, failed := pageOf(r.URL.Query())
	if failed != nil {
		carrierhttp.WriteProblem(w, failed)
		return
	}
	states, next := o.ledger.page(r.PathValue("run"), after, limit)
	if next > 0 {
		w.Header().Set("Link", fmt.Sprintf("<%s?after=%d&limit=%d>; rel=\"next\"", r.URL.EscapedPath(), next, limit))
	}
	carrierhttp.WriteJSON(w, http.StatusOK, states)
}

// MaxPage is the most orders that one page of GET /runs/{run}/orders lists, and what it lists unless ?limit= says less.
const MaxPage = 1000

// pageOf reads which page is asked for.
func pageOf(query url.Values) (after uint64, limit int, failed *carrier.Failed) {
	limit = MaxPage
	var err error
	if text := query.Get("after"); text != "" {
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, carrier.Fail("", carrier.BadRequest, fmt.Sprintf("after=%q: follow the address in the header Link", text))
		}
	}
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > MaxPage {
			return 0, 0, carrier.Fail("", carrier.BadRequest, fmt.Sprintf("limit=%q: use 1 to %d", text, MaxPage))
		}
	}
	return after, limit, nil
}

func asSteps(names []string) []Step {
	steps := make([]Step, len(names))
	for i, name := range names {
		steps[i] = Step(name)
	}
	return steps
}
