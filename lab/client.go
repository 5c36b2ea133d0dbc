package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tracelab/internal/poll"
	"tracelab/internal/telemetry"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/services"
	"tracelab/services/flows"
)

const (
	// problemLimit is how much of the answer to one order is read, in bytes.
	problemLimit = 1 << 20
	// idleConnections is how many connections stay open for the next orders.
	idleConnections = 1024
)

// client places orders at a gateway and asks about them. It is a service of its own in the traces: the root of an
// order is its CLIENT span. Its questions are not traced.
type client struct {
	base    string // http://host:port
	flow    *flows.Flow
	traced  *http.Client
	plain   *http.Client
	orders  *http.Transport // of traced
	timeout time.Duration   // of one order
}

func newClient(base string, flow *flows.Flow, network, placing services.Network, provider *telemetry.Provider, timeout time.Duration) *client {
	// A server ends a connection on which no request has begun within its time for headers (2 s), and one that was dialled
	// for a request that then took another is such a connection. An order sent on it while it is closing would be lost.
	transport := func(n services.Network) *http.Transport {
		return &http.Transport{DialContext: n.Dial, MaxIdleConnsPerHost: idleConnections, IdleConnTimeout: time.Second}
	}
	orders := transport(placing)
	return &client{base: base, flow: flow, timeout: timeout, orders: orders,
		plain: &http.Client{Transport: transport(network), Timeout: 10 * time.Second},
		traced: &http.Client{Transport: otelhttp.NewTransport(provider.Headers.Transport(rootNoting{orders}), otelhttp.WithTracerProvider(provider.Spans),
			otelhttp.WithMeterProvider(provider.Meters), otelhttp.WithPropagators(provider.Propagator),
			otelhttp.WithSpanNameFormatter(services.ClientSpanName))}}
}

// rootNoting sits under the instrumentation: it tells place which span the request has, even when no answer comes, and
// gives that span the order's id as soon as the answer tells it.
type rootNoting struct{ base http.RoundTripper }

type rootKey struct{}

// RoundTrip passes the request on.
func (t rootNoting) RoundTrip(req *http.Request) (*http.Response, error) {
	span := trace.SpanFromContext(req.Context())
	if root, ok := req.Context().Value(rootKey{}).(*trace.SpanContext); ok {
		*root = span.SpanContext()
	}
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		if id := services.PlacedID(resp); id != "" {
			span.SetAttributes(attribute.String(services.KeyOrderID, id))
		}
	}
	return resp, err
}

// answer is what the client got for an order.
type answer struct {
	Status int    // 0: nothing came in time
	ID     string // of the order; "" when none was accepted, or nothing says so
	Root   trace.SpanContext
	Error  string // "" for 2xx
}

// place places an order. The error is for what can never work; an order without an answer is an answer too.
func (c *client) place(ctx context.Context, e services.Experiment, order services.Placement) (answer, error) {
	var a answer
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, rootKey{}, &a.Root), c.timeout)
	defer cancel()
	req, err := services.PlaceRequest(ctx, c.base, c.flow, e, order)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.traced.Do(req)
	if err != nil {
		a.Error = whyNoAnswer(err, c.timeout)
		return a, nil
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, where the span ends too
	a.ID = services.PlacedID(resp)
	text, err := io.ReadAll(io.LimitReader(resp.Body, problemLimit))
	if err != nil {
		a.Error = whyNoAnswer(err, c.timeout)
		return a, nil
	}
	a.Status = resp.StatusCode
	if resp.StatusCode >= http.StatusBadRequest {
		a.Error = problemText(resp.StatusCode, text)
	}
	return a, nil
}

// problemText is the last part of a problem's type, or the status.
func problemText(status int, body []byte) string {
	var problem struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Type == "" {
		return http.StatusText(status)
	}
	return strings.TrimPrefix(problem.Type, "/problems/")
}

// accounts asks for a run's sums, by form.
func (c *client) accounts(ctx context.Context, run string) (map[services.Form]services.Accounts, error) {
	s, err := c.summary(ctx, run)
	return s.Forms, err
}

// summary asks for a run's sums, and for who keeps them.
func (c *client) summary(ctx context.Context, run string) (services.Summary, error) {
	var s services.Summary
	return s, c.ask(ctx, "/runs/"+run, &s)
}

// page asks for one page of the orders of a run, and returns the path of the next one, "" when there is none yet.
func (c *client) page(ctx context.Context, path string) (states []services.State, next string, err error) {
	header, err := c.askHeader(ctx, path, &states)
	return states, nextPage(header), err
}

// nextPage is the path that the header Link calls next; "" when this was the last page.
func nextPage(header http.Header) string {
	address, rel, _ := strings.Cut(header.Get("Link"), ">")
	if !strings.Contains(rel, `rel="next"`) {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(address), "<")
}

// ready waits until the gateway says that orders can be placed.
func (c *client) ready(ctx context.Context) (services.Readiness, error) {
	var r services.Readiness
	err := poll.Until(ctx, 20*time.Millisecond, func(ctx context.Context) error {
		err := c.ask(ctx, services.ReadyPath, &r)
		if answered, ok := errors.AsType[*statusError](err); ok {
			if waits := services.NotReady([]byte(answered.body)); waits != nil {
				return waits
			}
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("%s is not ready: %w", c.base, err)
	}
	return r, nil
}

// statusError is an answer that is no answer to the question.
type statusError struct {
	path   string
	status int
	body   string
}

// Error names the question and the answer.
func (e *statusError) Error() string {
	return fmt.Sprintf("GET %s answered %d: %s", e.path, e.status, strings.TrimSpace(e.body))
}

func (c *client) ask(ctx context.Context, path string, into any) error {
	_, err := c.askHeader(ctx, path, into)
	return err
}

// pageLimit is how much of an answer is read, in bytes: a page of orders is the largest.
const pageLimit = 4 << 20

func (c *client) askHeader(ctx context.Context, path string, into any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", c.base, err)
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.base+path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, pageLimit))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.base+path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &statusError{path, resp.StatusCode, string(body)}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, errors.Join(fmt.Errorf("GET %s answered what cannot be read: is %s a tracelab gateway?", path, c.base), err)
	}
	return resp.Header, nil
}

func (c *client) close() {
	c.plain.CloseIdleConnections()
	c.orders.CloseIdleConnections()
}
