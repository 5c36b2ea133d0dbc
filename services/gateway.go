package services

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	carrierhttp "tracelab/services/internal/carrier/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// gateway is what clients see: it checks orders and passes them on to orders.
type gateway struct {
	*node
	// metrics count the placements that are refused here. What becomes of one that is passed on, orders counts: when no
	// answer comes back nobody here knows.
	metrics orderMetrics
}

// Placement is the body of POST /orders.
type Placement struct {
	Customer string `json:"customer"` // up to 100 characters
	SKU      string `json:"sku"`      // of the catalogue
	Quantity int64  `json:"quantity"` // 1 to MaxQuantity
}

// Answer is the body of a POST /orders that was accepted: 201 with the finished order, or 202 when the rest is on its
// way. Location leads to the order in both.
type Answer struct {
	ID     string   `json:"id"`
	Status Status   `json:"status"`
	Steps  []string `json:"steps"` // done by the time of the answer
}

const longestText = 100 // characters, of a customer and of an Idempotency-Key

func newGateway(n *node) error {
	metrics, err := newOrderMetrics(n.telemetry, Refused)
	if err != nil {
		return err
	}
	g := &gateway{node: n, metrics: metrics}
	n.httpServer.Traced("POST /orders", http.HandlerFunc(g.place))
	for _, pattern := range []string{"GET /orders/{id}", "GET /runs/{run}", "GET /runs/{run}/orders"} {
		n.httpServer.Plain(pattern, http.HandlerFunc(g.ask))
	}
	n.httpServer.Plain("GET /runs/{run}/spans", http.HandlerFunc(g.reportAllSpans))
	n.ready = g.peersReady
	return nil
}

func (g *gateway) place(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	nameTrace(ctx, w.Header())
	e, err := experimentOf(ctx)
	if err != nil {
		g.metrics.count(ctx, otherForm, Refused)
		carrierhttp.WriteProblem(w, carrier.Fail("", carrier.BadRequest, err.Error()))
		return
	}
	placement, failed := g.read(w, r)
	if failed != nil {
		g.metrics.count(ctx, e.Form, Refused)
		carrierhttp.WriteProblem(w, failed)
		return
	}
	answer, err := g.accept(ctx, e, placement)
	if err != nil {
		failed := carrier.AsFailed("", err)
		mark(ctx, failed.OrderID)
		carrierhttp.WriteProblem(w, failed)
		return
	}
	mark(ctx, answer.GetOrderId())
	status := http.StatusAccepted
	if answer.GetStatus() == string(Completed) {
		status = http.StatusCreated
	}
	w.Header().Set("Location", carrierhttp.OrderPath(answer.GetOrderId()))
	carrierhttp.WriteJSON(w, status, Answer{ID: answer.GetOrderId(), Status: Status(answer.GetStatus()), Steps: answer.GetSteps()})
}

// nameTrace tells the client in which trace its request is, whatever becomes of it: traceresponse, as the draft of W3C Trace Context
// Level 2 has it. A client that sent a traceparent knows the trace id already, and learns the id of the server's span.
func nameTrace(ctx context.Context, header http.Header) {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		header.Set("traceresponse", fmt.Sprintf("00-%s-%s-%s", sc.TraceID(), sc.SpanID(), sc.TraceFlags()))
	}
}

// mark puts the order's id on the server span, which began before there was one.
func mark(ctx context.Context, id string) {
	if id != "" {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String(KeyOrderID, id))
	}
}

// accept is the first hop: an HTTP or gRPC call, as the table says for the order's form.
func (g *gateway) accept(ctx context.Context, e Experiment, placement *orderpb.Placement) (*orderpb.Acceptance, error) {
	if g.allowFaults {
		if err := e.misbehave(ctx, g.name); err != nil {
			g.metrics.count(ctx, e.Form, Refused)
			return nil, misbehaved(err)
		}
	}
	table, err := TopologyNamed(e.Topology)
	if err != nil {
		return nil, err
	}
	hop, _ := table.Hop(Accept)
	caller, err := g.caller(hop.By[e.Form])
	if err != nil {
		return nil, err
	}
	answer := &orderpb.Acceptance{}
	return answer, caller.Call(ctx, Orders, Accept.Verb(), placement, answer)
}

// read reads and checks a placement. A placement that fails here makes no order.
func (g *gateway) read(w http.ResponseWriter, r *http.Request) (*orderpb.Placement, *carrier.Failed) {
	var p Placement
	if failed := carrierhttp.ReadJSON(w, r, func(body []byte) error { return decodeStrictly(body, &p) }); failed != nil {
		return nil, failed
	}
	key := r.Header.Get("Idempotency-Key")
	switch item, known := itemOf(p.SKU); {
	case p.Customer == "" || utf8.RuneCountInString(p.Customer) > longestText:
		return nil, unprocessable("customer: use 1 to %d characters", longestText)
	case !known:
		return nil, unprocessable("sku: no %q in the catalogue: use one of %s", p.SKU, skus())
	case p.Quantity < 1 || p.Quantity > MaxQuantity:
		return nil, unprocessable("quantity of %s: %d: use 1 to %d", item.SKU, p.Quantity, MaxQuantity)
	case !utf8.ValidString(key) || utf8.RuneCountInString(key) > longestText || len(r.Header.Values("Idempotency-Key")) > 1:
		return nil, unprocessable("Idempotency-Key: use one, of at most %d characters in UTF-8", longestText)
	}
	return &orderpb.Placement{
		Order:          &orderpb.Order{Customer: p.Customer, Sku: p.SKU, Quantity: uint32(p.Quantity)},
		IdempotencyKey: key,
	}, nil
}

func unprocessable(format string, args ...any) *carrier.Failed {
	return carrier.Fail("", "unprocessable_order", fmt.Sprintf(format, args...))
}

func skus() string {
	var names []string
	for _, item := range Catalogue() {
		names = append(names, item.SKU)
	}
	return strings.Join(names, ", ")
}

// decodeStrictly takes one JSON object with known fields and nothing behind it.
func decodeStrictly(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the body is not an order: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body is not an order: there is more behind it")
	}
	return nil
}

// Limits of the answers that the gateway reads, in bytes.
const (
	pageLimit  = 4 << 20  // a page of MaxPage orders with the longest texts and failures
	readyLimit = 64 << 10 // what a service says of its readiness
)

// ask passes a question about orders on.
func (g *gateway) ask(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.Query().Encode()
	}
	answer, err := g.http.Get(r.Context(), Orders, path, pageLimit)
	if err != nil {
		carrierhttp.WriteProblem(w, carrier.AsFailed("", err))
		return
	}
	for _, name := range []string{"Content-Type", "Link"} {
		if value := answer.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the client may have gone
}

// peersReady asks every service behind the gateway, so that one question tells whether orders can be placed.
func (g *gateway) peersReady(ctx context.Context) []string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var missing []string
	for _, service := range Names() {
		if service == Gateway {
			continue
		}
		wg.Go(func() {
			answer, err := g.http.Get(ctx, service, "/readyz", readyLimit)
			if err == nil && answer.Status == http.StatusOK {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			missing = append(missing, service)
		})
	}
	wg.Wait()
	slices.Sort(missing)
	return missing
}
