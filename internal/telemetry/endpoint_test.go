package telemetry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"tracelab/internal/otlp"
)

// strict is an OTLP endpoint, over gRPC and HTTP, that reads with the protobuf library, which refuses what is not UTF-8. It
// refuses batches with a span named "bad", too, and of a batch with one named "odd" takes all but that.
type strict struct {
	coltracepb.UnimplementedTraceServiceServer
	mu    sync.Mutex
	taken []string // names
}

func (s *strict) Export(_ context.Context, r *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	var names []string
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			names = slices.AppendSeq(names, func(yield func(string) bool) {
				for _, span := range scope.GetSpans() {
					if !yield(span.GetName()) {
						return
					}
				}
			})
		}
	}
	if slices.Contains(names, "bad") {
		return nil, status.Error(codes.InvalidArgument, "a bad span")
	}
	answer := &coltracepb.ExportTraceServiceResponse{}
	all := len(names)
	names = slices.DeleteFunc(names, func(name string) bool { return name == "odd" })
	if odd := all - len(names); odd > 0 {
		answer.PartialSuccess = &coltracepb.ExportTracePartialSuccess{RejectedSpans: int64(odd), ErrorMessage: "odd\nspans"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, names...)
	return answer, nil
}

func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := &coltracepb.ExportTraceServiceRequest{}
	var answer *coltracepb.ExportTraceServiceResponse
	if err = errors.Join(err, proto.Unmarshal(body, request)); err == nil {
		answer, err = s.Export(r.Context(), request)
	}
	var out []byte
	if err == nil {
		out, err = proto.Marshal(answer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(out)
}

// names are those of the spans that were taken.
func (s *strict) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// serveGRPC serves on an address until the test ends.
func serveGRPC(t *testing.T, s *strict, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// queueTo is a queue in front of an endpoint.
func queueTo(t *testing.T, address string, config QueueConfig) *Queue {
	t.Helper()
	to, err := otlp.ParseEndpoint(address)
	if err != nil {
		t.Fatal(err)
	}
	exporter, err := otlp.NewTraceExporter(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	return NewQueue(exporter, config)
}

// named makes a span of each name, in one trace.
func named(q *Queue, names ...string) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	for _, name := range names {
		_, span := provider.Tracer("test").Start(context.Background(), name)
		span.End()
	}
}

// everyWay runs a test against an endpoint over gRPC and over HTTP.
func everyWay(t *testing.T, test func(t *testing.T, s *strict, address string)) {
	t.Helper()
	t.Run("grpc", func(t *testing.T) {
		s := &strict{}
		test(t, s, serveGRPC(t, s, "127.0.0.1:0"))
	})
	t.Run("http", func(t *testing.T) {
		s := &strict{}
		server := httptest.NewServer(s)
		defer server.Close()
		test(t, s, server.URL)
	})
}

// TestABadSpanCostsNoOther has spans in a batch that the endpoint refuses it for, and spans of which it says that it left
// them out: those are dropped, and no other.
func TestABadSpanCostsNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		spans   []string
		dropped int64
	}{
		"one is refused":       {append(slices.Repeat([]string{"good"}, 300), "bad", "good"), 1},
		"three are refused":    {append(slices.Repeat([]string{"good"}, 150), append([]string{"bad", "good", "bad"}, append(slices.Repeat([]string{"good"}, 90), "bad")...)...), 3},
		"two are left out":     {[]string{"good", "odd", "good", "odd"}, 2},
		"none is UTF-8":        {[]string{"\xff", "\xc3", "a\xe2\x82"}, 0},
		"one of each":          {[]string{"good", "bad", "\xff", "good"}, 1},
		"cut inside of a rune": {[]string{"Grüße"[:3], "good"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, s *strict, address string) {
				q := queueTo(t, address, QueueConfig{Interval: time.Hour})
				named(q, c.spans...)
				if err := q.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				counts := q.Counts()
				// A batch whose answer is lost comes again.
				if counts.Dropped != c.dropped || counts.Started != counts.Exported+counts.Dropped || int64(len(s.names())) < counts.Exported {
					t.Errorf("%+v, and %d came: want %d dropped", counts, len(s.names()), c.dropped)
				}
			})
		})
	}
}

// TestManyBadSpansEnd: the number of exports of a batch is bounded.
func TestManyBadSpansEnd(t *testing.T) {
	everyWay(t, func(t *testing.T, s *strict, address string) {
		exports := 0
		q := queueTo(t, address, QueueConfig{Interval: time.Hour})
		q.exporter = counted{q.exporter, &exports}
		named(q, slices.Repeat([]string{"bad"}, 500)...)
		if err := q.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if counts := q.Counts(); counts.Dropped != 500 || exports > 2*maxRefusals+1 {
			t.Errorf("%+v after %d exports", counts, exports)
		}
	})
}

// counted counts exports.
type counted struct {
	sdktrace.SpanExporter
	exports *int
}

func (c counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	*c.exports++
	return c.SpanExporter.ExportSpans(ctx, spans)
}

// TestAnEndpointThatIsBackGetsSpansAtOnce has an endpoint away for longer than gRPC's own backoff takes to pass two
// seconds. What was dropped is what never came.
func TestAnEndpointThatIsBackGetsSpansAtOnce(t *testing.T) {
	t.Parallel()
	s := &strict{}
	address := away(t)
	q := queueTo(t, address, QueueConfig{Interval: 20 * time.Millisecond, Timeout: time.Minute, Size: 100, Batch: 10})
	for range 60 { // 6 s
		named(q, slices.Repeat([]string{"during"}, 5)...)
		time.Sleep(100 * time.Millisecond)
	}
	if came := len(s.names()); came > 0 {
		t.Fatalf("%d spans came while nobody listened", came)
	}
	serveGRPC(t, s, address)
	began := time.Now()
	for len(s.names()) == 0 && time.Since(began) < 20*time.Second {
		named(q, "after")
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the endpoint was back for %v before it got a span", took)
	} else {
		t.Logf("the endpoint got a span %v after it was back", took)
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	counts := q.Counts()
	if came := int64(len(s.names())); counts.Dropped == 0 || counts.Started != counts.Exported+counts.Dropped || came < counts.Exported {
		t.Errorf("%+v, and %d came: want dropped what did not come", counts, came)
	}
}

// TestNothingIsLostWhileTheQueueHasRoom has an endpoint away while spans are made, over gRPC and over HTTP.
func TestNothingIsLostWhileTheQueueHasRoom(t *testing.T) {
	for name, c := range map[string]struct {
		scheme string
		serve  func(*testing.T, *strict, string)
	}{
		"grpc": {"", func(t *testing.T, s *strict, address string) { serveGRPC(t, s, address) }},
		"http": {"http://", serveHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &strict{}
			address := away(t)
			q := queueTo(t, c.scheme+address, QueueConfig{Interval: 20 * time.Millisecond, Timeout: time.Minute, Size: 500, Batch: 10})
			for range 40 { // 2 s
				named(q, slices.Repeat([]string{"during"}, 5)...)
				time.Sleep(50 * time.Millisecond)
			}
			c.serve(t, s, address)
			began := time.Now()
			for len(s.names()) == 0 && time.Since(began) < 20*time.Second {
				time.Sleep(10 * time.Millisecond)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the endpoint was back for %v before it got a span", took)
			}
			if err := q.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if counts := q.Counts(); counts.Dropped > 0 || len(s.names()) < 200 {
				t.Errorf("%+v, and %d came: want all 200", counts, len(s.names()))
			}
		})
	}
}

// TestAnUnreachableEndpointEndsWithItsTime: to try again has an end, and the reason is in the error.
func TestAnUnreachableEndpointEndsWithItsTime(t *testing.T) {
	for name, scheme := range map[string]string{"grpc": "", "http": "http://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, err := otlp.ParseEndpoint(scheme + away(t))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			client := otlp.NewTraceClient(to)
			if err := client.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Stop(context.Background()) }()
			err = client.UploadTraces(ctx, []*tracepb.ResourceSpans{{}})
			if whyFailed(err) != exportTimeout || !strings.Contains(err.Error(), "refused") {
				t.Errorf("after a second: %v", err)
			}
		})
	}
}

// serveHTTP serves on an address until the test ends.
func serveHTTP(t *testing.T, s *strict, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
}

// away is an address where nobody listens.
func away(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}
