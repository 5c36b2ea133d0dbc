package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
)

const startCollector = "start the collector, or name where it takes OTLP with --otlp: host:port for gRPC (4317), a URL for HTTP (4318)"

// otlpTakesSpans sends a span to every endpoint, and returns the one for the first: the check otlp-to-jaeger looks for it.
func (p *parts) otlpTakesSpans(ctx context.Context) (first *placed, seen string, _ error) {
	for _, address := range p.config.OTLP {
		sent, spans := p.probe.span(ctx)
		if err := export(ctx, address, spans); err != nil {
			return nil, "", err
		}
		if first == nil {
			first = sent
		}
	}
	return first, "a span was taken at " + commas(p.config.OTLP), nil
}

// export sends spans as the services do, but without a retry.
func export(ctx context.Context, address string, spans []sdktrace.ReadOnlySpan) error {
	endpoint, err := otlp.ParseEndpoint(address)
	if err != nil {
		return brokenHop(startCollector, "%s", err.Error())
	}
	once, cancel := withSpare(ctx)
	defer cancel()
	once, cancel = context.WithTimeout(once, oneAnswer)
	defer cancel()
	if err := reachable(once, endpoint.HostPort()); err != nil {
		return brokenHop(startCollector, "%s took no span: %s", address, err.Error())
	}
	exporter, err := otlptrace.New(once, otlp.NewTraceClientOnce(endpoint))
	if err == nil {
		err = exporter.ExportSpans(once, spans)
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = exporter.Shutdown(stopping) // the error of the export says more
	}
	if err == nil {
		return nil
	}
	return otlpBroken(ctx, endpoint, err)
}

// otlpBroken says why an endpoint has not taken a span, and what to do.
func otlpBroken(ctx context.Context, endpoint otlp.Endpoint, err error) error {
	address, where := endpoint.String(), endpoint.HostPort()
	heard, said := identify(ctx, where), lastWords(err)
	overHTTP := endpoint.OverHTTP()
	fix := startCollector
	switch {
	case strings.Contains(said, "no space left") || strings.Contains(said, "file too large"):
		heard, fix = said, "the collector's sending queue has no room on its disk: make room where COLLECTOR_QUEUE is"
	case strings.HasPrefix(heard, "TLS") && !strings.HasPrefix(address, "https"):
		fix = "use https:// and the port for HTTP, with OTEL_EXPORTER_OTLP_CERTIFICATE when its certificate is not known here; or let the collector's receiver speak plaintext"
	case strings.HasPrefix(heard, "TLS"):
		heard, fix = said, "name the authority of the endpoint's certificate with OTEL_EXPORTER_OTLP_CERTIFICATE"
	case strings.HasPrefix(address, "https") && strings.HasPrefix(heard, "HTTP/1"):
		heard, fix = "plaintext is spoken there, not TLS", "use http:// instead of https://, or give the collector's receiver a certificate"
	case strings.HasPrefix(heard, "HTTP/1") && !overHTTP:
		fix = "that is a port for HTTP: use its URL, http://" + address + ", or the port for gRPC (4317)"
	case strings.HasPrefix(heard, "HTTP/2") && overHTTP:
		fix = "that is a port for gRPC: use " + where + " without http://, or the port for HTTP (4318)"
	case strings.HasPrefix(heard, "HTTP/"): // the right protocol, but a refusal
		heard, fix = said, "the endpoint answers and does not take the span: a collector that refuses has no room (memory_limiter, a full queue or disk) or wants credentials (OTEL_EXPORTER_OTLP_HEADERS); its log says which"
	}
	return brokenHop(fix, "%s took no span: %s", address, heard)
}

// lastWords returns the endpoint's own words, without those that the exporters put before them.
func lastWords(err error) string {
	text := strings.TrimPrefix(err.Error(), "traces export: ")
	if i := strings.LastIndex(text, "desc = "); i >= 0 {
		text = strings.Trim(text[i+len("desc = "):], `"`)
	}
	if errors.Is(err, context.DeadlineExceeded) && text == context.DeadlineExceeded.Error() {
		return fmt.Sprintf("no answer within %v", oneAnswer)
	}
	return excerpt([]byte(text))
}
