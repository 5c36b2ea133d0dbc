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
	"sync"
	"unicode/utf8"

	carrierhttp "tracelab/services/internal/carrier/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// gateway is what clients see: it checks orders and passes them on to the service of the entry step.
type gateway struct {
	*node
	// metrics count the placements that are refused here. What becomes of one that is passed on, orders counts: when no
	// answer comes back nobody here knows.
	metrics orderMetrics
}

// Placement is the body of POST /orders: the fields that the flow's file lists, strings and whole numbers.
type Placement map[string]any

// Answer is the body of a POST /orders that was accepted: 201 with the finished order, or 202 when the rest is on its
// way. Location leads to the order in both.
type Answer struct {
	ID     string   `json:"id"`
	Status Status   `json:"status"`
	Steps  []string `json:"steps"` // done by the time of the answer
}

const longestText = 100 // characters, of a run's id and of an Idempotency-Key

func newGateway(n *node) error {
	metrics, err := newOrderMetrics(n.telemetry, n.flow.Forms(), Refused)
	if err != nil {
		return err
	}
	g := &gateway{node: n, metrics: metrics}
	n.httpServer.Traced("POST "+n.flow.Path, http.HandlerFunc(g.place))
	for _, pattern := range []string{"GET " + n.flow.Path + "/{id}", "GET /runs/{run}", "GET /runs/{run}/view", "GET /runs/{run}" + listed} {
		n.httpServer.Plain(pattern, http.HandlerFunc(g.ask))
	}
	n.httpServer.Plain("GET /runs/{run}/spans", http.HandlerFunc(g.reportAllSpans))
	n.httpServer.Plain("GET /runs/{run}/calls", http.HandlerFunc(g.reportAllCalls))
	n.ready = g.peersReady
	return nil
}

func (g *gateway) place(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	nameTrace(ctx, w.Header())
	e, err := experimentOf(ctx, g.flow.Flow)
	if err != nil {
		g.metrics.count(ctx, otherForm, Refused)
		g.problem(w, carrier.Fail("", carrier.BadRequest, err.Error()))
		return
	}
	placement, failed := g.read(w, r)
	if failed != nil {
		g.metrics.count(ctx, e.Form, Refused)
		g.problem(w, failed)
		return
	}
	e.mark(placement.Order)
	answer, err := g.accept(ctx, e, placement)
	if err != nil {
		failed := carrier.AsFailed("", err)
		mark(ctx, failed.OrderID)
		g.problem(w, failed)
		return
	}
	mark(ctx, answer.GetOrderId())
	status := http.StatusAccepted
	if answer.GetStatus() == string(Completed) {
		status = http.StatusCreated
	}
	w.Header().Set("Location", g.flow.Path+"/"+answer.GetOrderId())
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

// problem answers with a failure in the flow's words.
func (g *gateway) problem(w http.ResponseWriter, failed *carrier.Failed) {
	carrierhttp.WriteProblem(w, g.flow.named(failed))
}

// accept is the first hop: an HTTP or gRPC call, as the flow says for the order's form.
func (g *gateway) accept(ctx context.Context, e Experiment, placement *orderpb.Event) (*orderpb.Receipt, error) {
	if g.allowFaults {
		if err := g.misbehave(ctx, e); err != nil {
			g.metrics.count(ctx, e.Form, Refused)
			return nil, misbehaved(err)
		}
	}
	column, _ := g.flow.Column(e.Form)
	entry := g.flow.Entry()
	answer := &orderpb.Receipt{}
	err := g.call(ctx, e, column.By[entry], entry, placement, answer)
	if failed, ok := errors.AsType[*carrier.Failed](err); ok && (failed.Reason() == carrier.BreakerOpen || failed.Reason() == carrier.BulkheadFull) {
		g.metrics.count(ctx, e.Form, Refused) // it was not called, so it counts nothing
	}
	return answer, err
}

// read reads and checks a placement. A placement that fails here makes no order.
func (g *gateway) read(w http.ResponseWriter, r *http.Request) (*orderpb.Event, *carrier.Failed) {
	var placed map[string]json.RawMessage
	body := map[string]string{}
	var wrong error // a value that is of the right type, and not one that the field takes
	failed := carrierhttp.ReadJSON(w, r, func(text []byte) (err error) {
		if placed, err = g.decodeStrictly(text); err != nil {
			return err
		}
		for _, field := range g.flow.Body {
			value, err := field.Check(placed[field.Name])
			if _, ok := errors.AsType[*flows.TypeError](err); ok {
				return fmt.Errorf("the body is not %s: %w", g.flow.a(), err)
			}
			if wrong == nil {
				wrong = err
			}
			body[field.Name] = value
		}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	key := r.Header.Get("Idempotency-Key")
	if wrong == nil && (!utf8.ValidString(key) || utf8.RuneCountInString(key) > longestText || len(r.Header.Values("Idempotency-Key")) > 1) {
		wrong = fmt.Errorf("Idempotency-Key: use one, of at most %d characters in UTF-8", longestText)
	}
	if wrong != nil {
		return nil, carrier.Fail("", unprocessable(g.flow.Flow), wrong.Error())
	}
	return &orderpb.Event{Order: &orderpb.Order{Body: body}, IdempotencyKey: key}, nil
}

// decodeStrictly takes one JSON object with known fields and nothing behind it.
func (g *gateway) decodeStrictly(text []byte) (map[string]json.RawMessage, error) {
	var placed map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&placed); err != nil {
		return nil, fmt.Errorf("the body is not %s: %w", g.flow.a(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the body is not %s: there is more behind it", g.flow.a())
	}
	for name, value := range placed {
		if !slices.ContainsFunc(g.flow.Body, func(f flows.Field) bool { return f.Name == name }) {
			return nil, fmt.Errorf("the body is not %s: unknown field %q", g.flow.a(), name)
		}
		if string(value) == "null" {
			delete(placed, name) // as if it were not there
		}
	}
	return placed, nil
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
	answer, err := g.http.Get(r.Context(), g.flow.Entry().Service(), path, pageLimit)
	if err != nil {
		g.problem(w, carrier.AsFailed("", err))
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
	for _, service := range g.flow.Services() {
		if service == Gateway {
			continue
		}
		wg.Go(func() {
			answer, err := g.http.Get(ctx, service, ReadyPath, readyLimit)
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
