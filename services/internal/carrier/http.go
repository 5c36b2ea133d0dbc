package carrier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/telemetry"
)

// HTTPServer is a mux in which every route is traced by itself, so that the span knows its route.
type HTTPServer struct {
	mux      *http.ServeMux
	provider *telemetry.Provider
	server   *http.Server
}

// NewHTTPServer makes a server with size and time limits.
func NewHTTPServer(provider *telemetry.Provider) *HTTPServer {
	s := &HTTPServer{mux: http.NewServeMux(), provider: provider}
	s.server = &http.Server{
		Handler: s.mux, ConnState: s.idle, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: MaxBody, ErrorLog: slog.NewLogLogger(provider.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// Traced adds a route whose requests get a SERVER span.
func (s *HTTPServer) Traced(pattern string, h http.Handler) {
	s.mux.Handle(pattern, s.labelled(otelhttp.NewHandler(s.recovered(h), pattern,
		otelhttp.WithTracerProvider(s.provider.Spans), otelhttp.WithMeterProvider(s.provider.Meters),
		otelhttp.WithPropagators(s.provider.Propagator))))
}

// labelled puts a request's work under the labels of its order, until the server has sent the answer: see idle.
func (s *HTTPServer) labelled(h http.Handler) http.Handler {
	if !s.provider.Labels.On() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(s.provider.Labels.Order(r.Context(), r.Header.Values("Baggage")...)))
	})
}

// idle is told, on a connection's goroutine, that it waits for its next request, which may be of another order.
func (s *HTTPServer) idle(_ net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		s.provider.Labels.Service()
	}
}

// Plain adds a route without a span: health probes, and the questions of whoever waits for an order.
func (s *HTTPServer) Plain(pattern string, h http.Handler) { s.mux.Handle(pattern, s.recovered(h)) }

// recovered answers a panic with 500 inside the span; otherwise the span's status stays unset and the client tries again.
func (s *HTTPServer) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.provider.Log.ErrorContext(r.Context(), "handler panicked", "panic", p, "stack", string(debug.Stack()))
				WriteProblem(w, Fail("", Internal, "the service has a bug; its log says more"))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// Serve answers on the listener until Shutdown.
func (s *HTTPServer) Serve(l net.Listener) error {
	if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http server on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those that it has; when the context ends, it closes them.
func (s *HTTPServer) Shutdown(ctx context.Context) error {
	if err := s.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("http server: requests cut off: %w", err), s.server.Close())
	}
	return nil
}

// ReadJSON reads a request's body within its limit, into a strict decoder's reach. The failure says what is wrong with it.
func ReadJSON(w http.ResponseWriter, r *http.Request, decode func([]byte) error) *Failed {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return Fail("", "unsupported_media_type", fmt.Sprintf("content type %q: send application/json", r.Header.Get("Content-Type")))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return Fail("", TooLarge, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return Fail("", "request_timeout", "the body did not come in time")
		}
		return Fail("", BadRequest, "the body broke off: "+err.Error())
	}
	if err := decode(body); err != nil {
		return Fail("", BadRequest, err.Error())
	}
	return nil
}

// Call makes a handler of a step's method, the same that gRPC serves.
func Call[In, Out any, PIn message[In], POut message[Out]](method func(context.Context, PIn) (POut, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := PIn(new(In))
		if failed := ReadJSON(w, r, func(body []byte) error { return protojson.Unmarshal(body, in) }); failed != nil {
			WriteProblem(w, failed)
			return
		}
		out, err := method(r.Context(), in)
		if err != nil {
			WriteProblem(w, AsFailed("", err))
			return
		}
		body, err := protojson.Marshal(out)
		if err != nil {
			WriteProblem(w, Fail("", Internal, err.Error()))
			return
		}
		WriteJSON(w, http.StatusOK, json.RawMessage(body))
	})
}

// message is a pointer to a generated message.
type message[T any] interface {
	*T
	proto.Message
}

// HTTPClient calls steps over HTTP.
type HTTPClient struct {
	client *http.Client
	plain  *http.Client
	base   func(service string) (string, error) // http://host:port
}

// NewHTTPClient makes a client that finds services by name.
func NewHTTPClient(network Network, provider *telemetry.Provider, address func(service string) (string, error)) *HTTPClient {
	dial := func(ctx context.Context, kind, address string) (net.Conn, error) {
		provider.Labels.Service() // the goroutine is the connection's
		return network.Dial(ctx, kind, address)
	}
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 256, ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout: idleTimeout / 2} // before the server ends it: an order on a connection that is just closing is lost
	traced := otelhttp.NewTransport(transport, otelhttp.WithTracerProvider(provider.Spans),
		otelhttp.WithMeterProvider(provider.Meters), otelhttp.WithPropagators(provider.Propagator),
		otelhttp.WithSpanNameFormatter(ClientSpanName))
	return &HTTPClient{client: &http.Client{Transport: traced}, plain: &http.Client{Transport: transport},
		base: func(service string) (string, error) {
			a, err := address(service)
			return "http://" + a, err
		}}
}

// ClientSpanName names the span of a request by method and path, which is low in cardinality here: traced requests go to
// fixed paths only.
func ClientSpanName(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }

// measuredAs tells the metrics of a request what was asked for, since they do not keep the peer's address.
func measuredAs(ctx context.Context, path string) context.Context {
	labeler := &otelhttp.Labeler{}
	labeler.Add(semconv.URLTemplate(path))
	return otelhttp.ContextWithClientLabeler(ctx, labeler)
}

// Call asks a service to do what the verb says.
func (c *HTTPClient) Call(ctx context.Context, service, verb string, in, out proto.Message) error {
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
	req.GetBody = nil // net/http must not send an order twice behind our back
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return unanswered(service, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return unanswered(service, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fromProblem(service, resp.StatusCode, answer)
	}
	if err := protojson.Unmarshal(answer, out); err != nil {
		return Fail("", Internal, fmt.Sprintf("%s answered what cannot be read: %v", service, err))
	}
	return nil
}

// Get passes an untraced question on: the answer's status, type and body, as they came.
func (c *HTTPClient) Get(ctx context.Context, service, path string) (status int, contentType string, body []byte, err error) {
	base, err := c.base(service)
	if err != nil {
		return 0, "", nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return 0, "", nil, fmt.Errorf("request to %s: %w", service, err)
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return 0, "", nil, unanswered(service, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return 0, "", nil, unanswered(service, err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), body, nil
}

// Close drops the idle connections.
func (c *HTTPClient) Close() { c.plain.CloseIdleConnections() }

// unanswered is a call that no answer came to.
func unanswered(service string, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Fail("", Timeout, service+" did not answer in time")
	case errors.Is(err, context.Canceled):
		return Fail("", Cancelled, "the caller went away")
	default:
		return Fail("", Unavailable, fmt.Sprintf("%s cannot be reached: %v", service, err))
	}
}

// fromProblem reads a failure back from an answer; one without a problem document is described.
func fromProblem(service string, status int, body []byte) error {
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Type == "" {
		return Fail("", Internal, fmt.Sprintf("%s answered %d without a problem document", service, status))
	}
	return p.failed()
}
