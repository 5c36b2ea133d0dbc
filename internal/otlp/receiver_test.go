package otlp

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/freeport"
)

func TestReceiverTakesSpansFromExporters(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, defaultTimeouts)
	for name, client := range map[string]otlptrace.Client{
		"grpc":       otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(overGRPC), otlptracegrpc.WithInsecure()),
		"grpc gzip":  otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(overGRPC), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip")),
		"http":       otlptracehttp.NewClient(otlptracehttp.WithEndpointURL("http://" + overHTTP + "/v1/traces")),
		"http gzip":  otlptracehttp.NewClient(otlptracehttp.WithEndpointURL("http://"+overHTTP+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression)),
		"ours, grpc": NewTraceClient(endpoint(t, overGRPC)),
		"ours, http": NewTraceClient(endpoint(t, "http://"+overHTTP)),
	} {
		before := len(s.spans(t))
		exporter, err := otlptrace.New(t.Context(), client)
		if err != nil {
			t.Fatal(err)
		}
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
		_, span := provider.Tracer("test").Start(t.Context(), name)
		span.End()
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		spans := s.spans(t)[before:]
		if len(spans) == 0 || spans[0].Name() != name || spans[0].TraceID() != pcommon.TraceID(span.SpanContext().TraceID()) {
			t.Errorf("%s: %d spans", name, len(spans))
		}
	}
}

// exportRequest is a request with one span, as JSON and as protobuf.
func exportRequest(t *testing.T) (asJSON, asProto []byte) {
	t.Helper()
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("one")
	request := ptraceotlp.NewExportRequestFromTraces(traces)
	asJSON, err := request.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if asProto, err = request.MarshalProto(); err != nil {
		t.Fatal(err)
	}
	return asJSON, asProto
}

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// post sends a body to an address over a connection of its own.
func post(t *testing.T, method, url, contentType, encoding string, body []byte) (status int, answer string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

func TestReceiverOverHTTP(t *testing.T) {
	asJSON, asProto := exportRequest(t)
	const protobuf, json = "application/x-protobuf", "application/json"
	huge := bytes.Repeat([]byte(" "), 17<<20)
	for _, c := range []struct {
		name, method, path, contentType, encoding string
		body                                      []byte
		status                                    int
		says                                      string
	}{
		{"protobuf", "POST", "/v1/traces", protobuf, "", asProto, 200, ""},
		{"json", "POST", "/v1/traces", json, "", asJSON, 200, "{"},
		{"json with a charset", "POST", "/v1/traces", json + "; charset=utf-8", "", asJSON, 200, "{"},
		{"gzip", "POST", "/v1/traces", protobuf, "gzip", gzipped(t, asProto), 200, ""},
		{"gzip in capitals", "POST", "/v1/traces", protobuf, "GZIP", gzipped(t, asProto), 200, ""},
		{"gzip json", "POST", "/v1/traces", json, "gzip", gzipped(t, asJSON), 200, "{"},
		{"wrong type", "POST", "/v1/traces", "text/plain", "", asJSON, 415, "send application/x-protobuf or application/json"},
		{"no type", "POST", "/v1/traces", "", "", asJSON, 415, "send application/x-protobuf or application/json"},
		{"unknown encoding", "POST", "/v1/traces", json, "br", asJSON, 415, "gzip"},
		{"broken json", "POST", "/v1/traces", json, "", asJSON[:10], 400, "no OTLP export request"},
		{"broken protobuf", "POST", "/v1/traces", protobuf, "", []byte("\x0a\xff"), 400, "no OTLP export request"},
		{"not gzip", "POST", "/v1/traces", json, "gzip", asJSON, 400, "not gzip"},
		{"gzip that is cut off", "POST", "/v1/traces", json, "gzip", gzipped(t, asJSON)[:30], 400, "cannot be read"},
		{"too large", "POST", "/v1/traces", json, "", huge, 413, "larger than"},
		{"too large when unzipped", "POST", "/v1/traces", json, "gzip", gzipped(t, huge), 413, "larger than"},
		{"wrong method", "GET", "/v1/traces", json, "", nil, 405, ""},
		{"wrong path", "POST", "/v1/logs", json, "", asJSON, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _, overHTTP := receive(t, defaultTimeouts)
			status, answer, header := post(t, c.method, "http://"+overHTTP+c.path, c.contentType, c.encoding, c.body)
			if status != c.status || !strings.Contains(answer, c.says) {
				t.Errorf("%d %q, want %d %q", status, answer, c.status, c.says)
			}
			taken := len(s.spans(t))
			if want := map[bool]int{true: 1}[c.status == 200]; taken != want {
				t.Errorf("%d spans were taken, want %d", taken, want)
			}
			if got := header.Get("Content-Type"); c.status == 200 && !strings.HasPrefix(c.contentType, got) {
				t.Errorf("the answer to %s is %s", c.contentType, got)
			}
		})
	}
}

func TestReceiverOnAPortInUse(t *testing.T) {
	free, err := freeport.InARow(2)
	if err != nil {
		t.Fatal(err)
	}
	address := free[0]
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	first, err := StartReceiver(ReceiverConfig{Address: address, Keep: (&store{}).keep, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	_, second := first.Addresses()
	for _, taken := range []string{address, second} { // the port for gRPC, and the one for HTTP as another's port for gRPC
		began := time.Now()
		_, err = StartReceiver(ReceiverConfig{Address: taken, Keep: (&store{}).keep, Logger: discard})
		if err == nil || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), "--receive-otlp") || strings.Contains(err.Error(), "\n") {
			t.Errorf("on a port in use: %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	// The next port is in use: the first must be free again afterwards.
	behind, err := net.Listen("tcp", second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = StartReceiver(ReceiverConfig{Address: address, Keep: (&store{}).keep, Logger: discard}); err == nil || !strings.Contains(err.Error(), "the port after "+address) {
		t.Errorf("with the next port in use: %v", err)
	}
	if err := behind.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := StartReceiver(ReceiverConfig{Address: net.JoinHostPort(host, port), Keep: (&store{}).keep, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}

	for _, wrong := range []string{"4317", "127.0.0.1", "127.0.0.1:otlp", "127.0.0.1:65535", "127.0.0.1:-1"} {
		if r, err := StartReceiver(ReceiverConfig{Address: wrong, Keep: (&store{}).keep, Logger: discard}); err == nil || !strings.Contains(err.Error(), "otlp receiver") {
			t.Errorf("%s: %v %v", wrong, r, err)
		}
	}
}
