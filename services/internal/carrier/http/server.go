// Package http carries calls over HTTP: between services, and from clients to the gateway.
package http

import (
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

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/telemetry"
	"tracelab/internal/text"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// Server is an HTTP server that instruments each route by itself, so that spans have their route.
type Server struct {
	mux      *http.ServeMux
	provider *telemetry.Provider
	server   *http.Server
}

// NewServer makes a server with size and time limits.
func NewServer(provider *telemetry.Provider) *Server {
	s := &Server{mux: http.NewServeMux(), provider: provider}
	s.server = &http.Server{
		Handler: s.mux, ConnState: s.idle, ReadHeaderTimeout: carrier.HeaderTimeout, ReadTimeout: carrier.ReadTimeout, WriteTimeout: carrier.WriteTimeout, IdleTimeout: carrier.IdleTimeout,
		MaxHeaderBytes: carrier.MaxBody, ErrorLog: slog.NewLogLogger(provider.Log.Handler(), slog.LevelDebug),
	}
	return s
}

// Traced adds a route whose requests get a SERVER span.
func (s *Server) Traced(pattern string, h http.Handler) {
	s.mux.Handle(pattern, s.labeled(cleaned(otelhttp.NewHandler(s.recorded(s.recovered(timed(h))), pattern,
		otelhttp.WithTracerProvider(s.provider.Spans), otelhttp.WithMeterProvider(s.provider.Meters),
		otelhttp.WithPropagators(s.provider.Propagator)))))
}

// maxSpanHeader is how many bytes of a header go into a span.
const maxSpanHeader = 256

// cleaned cleans and cuts the headers that the instrumentation copies to a span.
func cleaned(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"User-Agent", "X-Forwarded-For"} {
			if value := r.Header.Get(name); value != "" {
				r.Header.Set(name, text.Cut(text.Clean(value), maxSpanHeader))
			}
		}
		r.Host = text.Cut(text.Clean(r.Host), maxSpanHeader)
		h.ServeHTTP(w, r)
	})
}

// recorded records the request's headers on its span, if headers are recorded.
func (s *Server) recorded(h http.Handler) http.Handler {
	if !s.provider.Headers.On() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.provider.Headers.Record(trace.SpanFromContext(r.Context()), telemetry.HTTPHeader, telemetry.Lines(r.Header))
		h.ServeHTTP(w, r)
	})
}

// labeled sets the profiler labels of a request's order, until the server has sent the answer: see idle.
func (s *Server) labeled(h http.Handler) http.Handler {
	if !s.provider.Labels.On() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(s.provider.Labels.Order(r.Context(), r.Header.Values("Baggage")...)))
	})
}

// idle resets the labels of a connection's goroutine while it waits for its next request, which may be of another order.
func (s *Server) idle(_ net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		s.provider.Labels.Service()
	}
}

// Plain adds a route without a span: for health probes, and for clients that poll an order.
func (s *Server) Plain(pattern string, h http.Handler) { s.mux.Handle(pattern, s.recovered(h)) }

// recovered answers a panic with 500 within the span. Otherwise the span's status would stay unset, and the client would retry.
func (s *Server) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				s.provider.Log.ErrorContext(r.Context(), "handler panicked", "panic", p, "stack", string(debug.Stack()))
				WriteProblem(w, carrier.Fail("", carrier.Internal, "the service has a bug; its log says more"))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// refusal is the answer on a connection beyond the limit.
const refusal = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 112\r\n\r\n" +
	`{"type":"/problems/full","title":"Service Unavailable","status":503,"detail":"too many connections, try later"}` + "\n"

// Serve answers on the listener until Shutdown, on so many connections at a time. It answers further ones with 503.
func (s *Server) Serve(l net.Listener, connections int) error {
	if err := s.server.Serve(carrier.LimitConnections(l, connections, []byte(refusal))); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http server on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those that it has. When the context ends, it closes their connections.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("http server: requests cut off: %w", err), s.server.Close())
	}
	return nil
}

// ReadJSON reads a request's body within its limit and decodes it. The failure says what is wrong with it.
func ReadJSON(w http.ResponseWriter, r *http.Request, decode func([]byte) error) *carrier.Failed {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return carrier.Fail("", "unsupported_media_type", fmt.Sprintf("content type %q: send application/json", r.Header.Get("Content-Type")))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, carrier.MaxBody))
	if err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return carrier.Fail("", carrier.TooLarge, fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return carrier.Fail("", "request_timeout", "the body did not come in time")
		}
		return carrier.Fail("", carrier.BadRequest, "the body broke off: "+err.Error())
	}
	if err := decode(body); err != nil {
		return carrier.Fail("", carrier.BadRequest, err.Error())
	}
	return nil
}

// Steps adds the route of a step, POST /verb, served by the same method that gRPC serves.
func (s *Server) Steps(verb string, method func(context.Context, *orderpb.Event) (*orderpb.Receipt, error)) {
	s.Traced("POST /"+strings.ToLower(verb), Call(method))
}

// Call makes an HTTP handler of a step's method: the one that gRPC serves, too.
func Call[In, Out any, PIn message[In], POut message[Out]](method func(context.Context, PIn) (POut, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := PIn(new(In))
		if failed := ReadJSON(w, r, func(body []byte) error { return protojson.Unmarshal(body, in) }); failed != nil {
			WriteProblem(w, failed)
			return
		}
		out, err := method(r.Context(), in)
		if err != nil {
			WriteProblem(w, carrier.AsFailed("", err))
			return
		}
		body, err := protojson.Marshal(out)
		if err != nil {
			WriteProblem(w, carrier.Fail("", carrier.Internal, err.Error()))
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
