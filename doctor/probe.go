package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/journey"
	"tracelab/services"
	"tracelab/services/flows"
)

// service is the service.name of the doctor's own spans.
const service = "doctor"

// probe makes the doctor's own spans and requests.
type probe struct {
	provider *telemetry.Provider
	ended    *endedSpans
	run      string
}

// endedSpans keeps the spans that have ended until they are sent.
type endedSpans struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

// OnStart, Shutdown and ForceFlush have nothing to do.
func (*endedSpans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (*endedSpans) Shutdown(context.Context) error                  { return nil }
func (*endedSpans) ForceFlush(context.Context) error                { return nil }

// OnEnd keeps the span.
func (k *endedSpans) OnEnd(s sdktrace.ReadOnlySpan) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spans = append(k.spans, s)
}

// take hands over what was kept.
func (k *endedSpans) take() []sdktrace.ReadOnlySpan {
	k.mu.Lock()
	defer k.mu.Unlock()
	spans := k.spans
	k.spans = nil
	return spans
}

func newProbe(c Config, run string) (*probe, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	ended := &endedSpans{}
	provider, err := telemetry.Config{
		Version: c.Version, Host: host, Instance: run, Processors: []sdktrace.SpanProcessor{ended}, Logs: logger.Handler(),
		Propagator: services.Propagator(logger), BaggageKeys: services.BaggageKeys(),
	}.New(service)
	if err != nil {
		return nil, err
	}
	return &probe{provider: provider, ended: ended, run: run}, nil
}

// placed is a probe on its way: an order, or a lone span.
type placed struct {
	form  services.Form
	id    string // of the order
	trace journey.TraceID
	span  journey.SpanID // the root
	at    time.Time
	sent  bool // the root is on its way to Jaeger
}

// span makes a trace of one span, to follow it from an OTLP endpoint on. The caller sends it.
func (p *probe) span(ctx context.Context) (*placed, []sdktrace.ReadOnlySpan) {
	at := time.Now()
	_, span := p.provider.Tracer.Start(ctx, "doctor.Probe", trace.WithAttributes(attribute.String(services.KeyRun, p.run)))
	span.End()
	sc := span.SpanContext()
	return &placed{trace: journey.TraceID(sc.TraceID()), span: journey.SpanID(sc.SpanID()), at: at}, p.ended.take()
}

// reply is the gateway's answer to an order.
type reply struct {
	status string
	code   int
	body   []byte
}

// place places one order. sampled is false when no endpoint takes the root's span: a sampled order would leave a trace
// without a root. The error is for a request without an answer.
func (p *probe) place(ctx context.Context, client *http.Client, gateway string, f *flows.Flow, form services.Form, sampled bool) (*placed, reply, error) {
	if !sampled {
		ctx = trace.ContextWithRemoteSpanContext(ctx, unsampled())
	}
	req, err := services.PlaceRequest(ctx, gateway, f, services.Experiment{Run: p.run, Form: form, Flow: f.Name}, probeBody(f))
	if err != nil {
		return nil, reply{}, err
	}
	address := req.URL.Redacted()
	o := &placed{form: form, at: time.Now(), sent: sampled}
	ctx, span := p.provider.Tracer.Start(req.Context(), "POST "+f.Path, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodPost, semconv.URLFull(address), semconv.ServerAddress(req.URL.Hostname())))
	defer span.End()
	o.trace, o.span = journey.TraceID(span.SpanContext().TraceID()), journey.SpanID(span.SpanContext().SpanID())
	p.provider.Propagator.Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.ErrorType(err))
		return o, reply{}, fmt.Errorf("%s: %w", address, inWords(err))
	}
	defer func() { _ = resp.Body.Close() }()
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(fmt.Sprint(resp.StatusCode)))
	}
	if o.id = services.PlacedID(resp); o.id != "" {
		span.SetAttributes(attribute.String(services.KeyOrderID, o.id))
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return o, reply{}, fmt.Errorf("%s: the answer breaks off: %w", address, inWords(err))
	}
	return o, reply{resp.Status, resp.StatusCode, text}, nil
}

// unsampled returns a remote parent that is not sampled, so that no service records a span.
func unsampled() trace.SpanContext {
	var config trace.SpanContextConfig
	_, _ = rand.Read(config.TraceID[:]) // never fails
	_, _ = rand.Read(config.SpanID[:])
	return trace.NewSpanContext(config)
}
