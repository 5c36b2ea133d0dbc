package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
)

// Limits of a client.
const (
	idleConnections = 256         // kept for each service
	answerTimeout   = time.Minute // from the end of a request to the headers of its answer
)

// Client calls steps over HTTP.
type Client struct {
	client *http.Client
	plain  *http.Client
	base   func(service string) (string, error) // http://host:port
}

// NewClient makes a client that finds services by name. With retries the span of each attempt is marked as one.
func NewClient(dialer carrier.Dial, provider *telemetry.Provider, address func(service string) (string, error), retries bool) *Client {
	dial := func(ctx context.Context, kind, address string) (net.Conn, error) {
		provider.Labels.Service() // the goroutine is the connection's
		conn, err := dialer(ctx, kind, address)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: idleConnections, ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout: carrier.IdleTimeout / 2} // less than the server's: an order on a connection that the server is just closing is lost
	var below http.RoundTripper = transport
	if retries {
		below = attempted{transport}
	}
	traced := otelhttp.NewTransport(provider.Headers.Transport(below), otelhttp.WithTracerProvider(provider.Spans),
		otelhttp.WithMeterProvider(provider.Meters), otelhttp.WithPropagators(provider.Propagator),
		otelhttp.WithSpanNameFormatter(ClientSpanName))
	return &Client{client: &http.Client{Transport: traced}, plain: &http.Client{Transport: transport},
		base: func(service string) (string, error) {
			a, err := address(service)
			return "http://" + a, err
		}}
}

// dialError says that no connection could be made, so that nothing was sent.
type dialError struct{ error }

// Unwrap returns the error inside.
func (e *dialError) Unwrap() error { return e.error }

// ClientSpanName names the span of a request by method and path, which is low in cardinality here: traced requests go to
// fixed paths only.
func ClientSpanName(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }

// measuredAs adds the path to the metrics of a request, which do not keep the peer's address.
func measuredAs(ctx context.Context, path string) context.Context {
	labeler := &otelhttp.Labeler{}
	labeler.Add(semconv.URLTemplate(path))
	return otelhttp.ContextWithClientLabeler(ctx, labeler)
}

// Call asks a service to do what the verb says.
func (c *Client) Call(ctx context.Context, service, verb string, in, out proto.Message) error {
	body, err := protojson.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s for %s: %w", verb, service, err)
	}
	base, err := c.base(service)
	if err != nil {
		return err
	}
	path := "/" + strings.ToLower(verb)
	req, err := http.NewRequestWithContext(measuredAs(ctx, path), http.MethodPost, base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("request to %s: %w", service, err)
	}
	req.GetBody = nil // so that net/http does not send an order twice by itself
	req.Header.Set("Content-Type", "application/json")
	SetTimeout(ctx, req.Header)
	resp, err := c.client.Do(req)
	if err != nil {
		return unanswered(service, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up
	answer, err := readUpTo(resp.Body, service, carrier.MaxBody)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fromProblem(service, resp, answer)
	}
	if err := protojson.Unmarshal(answer, out); err != nil {
		return carrier.Fail("", carrier.Internal, fmt.Sprintf("%s answered what cannot be read: %v", service, err))
	}
	return nil
}

// Answer is the answer to a Get.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get sends an untraced GET request. An answer of more than most bytes is an error.
func (c *Client) Get(ctx context.Context, service, path string, most int64) (*Answer, error) {
	base, err := c.base(service)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("request to %s: %w", service, err)
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, unanswered(service, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readUpTo(resp.Body, service, most)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// readUpTo reads an answer to its end. More than most bytes are an error.
func readUpTo(from io.Reader, service string, most int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, unanswered(service, err)
	}
	if int64(len(body)) > most {
		return nil, carrier.Fail("", carrier.Internal, fmt.Sprintf("%s answered more than %d bytes", service, most))
	}
	return body, nil
}

// Close drops the idle connections.
func (c *Client) Close() { c.plain.CloseIdleConnections() }

// unanswered makes the failure of a call without an answer.
func unanswered(service string, err error) error {
	_, unsent := errors.AsType[*dialError](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return carrier.Fail("", carrier.Timeout, service+" did not answer in time")
	case errors.Is(err, context.Canceled):
		return carrier.Fail("", carrier.Cancelled, "the caller went away")
	case unsent:
		return carrier.Fail("", carrier.Unreachable, fmt.Sprintf("%s cannot be reached: %v", service, err))
	default:
		return carrier.Fail("", carrier.Unavailable, fmt.Sprintf("%s went away before it answered: %v", service, err))
	}
}

// fromProblem reads a failure from a problem document. For an answer without one it makes a failure that says so.
func fromProblem(service string, answer *http.Response, body []byte) error {
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Type == "" {
		return carrier.Fail("", carrier.Internal, fmt.Sprintf("%s answered %d without a problem document", service, answer.StatusCode))
	}
	failed := p.failed()
	// A date in its place, or nonsense, is as if nothing were said.
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		failed.RetryAfter = time.Duration(seconds) * time.Second
	}
	return failed
}
