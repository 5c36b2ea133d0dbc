package otlp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/internal/testkit"
)

const (
	typeProtobuf = "application/x-protobuf"
	typeJSON     = "application/json"
)

// longTimeouts are for large requests on a machine under load.
var longTimeouts = timeouts{slot: time.Minute, read: time.Minute, idle: time.Minute}

// exportBytes sends a request over gRPC as it is.
func exportBytes(t *testing.T, address string, body []byte, options ...grpc.CallOption) error {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	err = connection.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", body, &answer, append(options, grpc.ForceCodecV2(bytesCodec{}))...)
	if err := connection.Close(); err != nil {
		t.Error(err)
	}
	return err
}

// takesAGoodRequest holds that a receiver works.
func takesAGoodRequest(t *testing.T, s *store, overGRPC, overHTTP string) {
	t.Helper()
	before := len(s.spans(t))
	_, good := exportRequest(t)
	if status, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeProtobuf, "", good); status != http.StatusOK {
		t.Errorf("afterwards a good request is answered %d %s", status, answer)
	}
	if err := exportBytes(t, overGRPC, good); err != nil {
		t.Errorf("afterwards a good request is answered %v", err)
	}
	if came := len(s.spans(t)) - before; came != 2 {
		t.Errorf("afterwards %d spans of good requests were kept, want 2", came)
	}
}

// refused sends a request over HTTP and gRPC, with each encoding, and wants it refused with these statuses.
func refused(t *testing.T, overGRPC, overHTTP string, body []byte, wantHTTP int, wantGRPC codes.Code, encodings ...string) {
	t.Helper()
	for _, encoding := range encodings {
		sent, options := body, []grpc.CallOption(nil)
		if encoding != "" {
			sent, options = gzipped(t, body), []grpc.CallOption{grpc.UseCompressor(encoding)}
		}
		if got, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeProtobuf, encoding, sent); got != wantHTTP {
			t.Errorf("HTTP %s: %d %s, want %d", encoding, got, answer, wantHTTP)
		}
		if err := exportBytes(t, overGRPC, body, options...); status.Code(err) != wantGRPC {
			t.Errorf("gRPC %s: %v, want %v", encoding, err, wantGRPC)
		}
	}
}

// TestNestedAttributesAreRefused sends values that end the process in a decoder that recurses, and values of some levels
// more than the judge reads.
func TestNestedAttributesAreRefused(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, longTimeouts)
	for name, place := range map[string][]protowire.Number{
		"span": {9, 2, 2, 1}, "event": {3, 11, 2, 2, 1}, "link": {4, 13, 2, 2, 1}, "scope": {3, 1, 2, 1}, "resource": {1, 1, 1},
		"span of an old version": {9, 2, 1000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			levels := 20_000
			if name == "span" {
				levels = testkit.Times(20_000, 1_600_000)
			}
			refused(t, overGRPC, overHTTP, testkit.NestedOTLP(levels, place...), http.StatusBadRequest, codes.InvalidArgument, "")
			refused(t, overGRPC, overHTTP, testkit.NestedOTLP(201, place...), http.StatusBadRequest, codes.InvalidArgument, "")
		})
	}
	t.Run("json", func(t *testing.T) {
		for _, levels := range []int{201, testkit.Times(20_000, 400_000)} {
			body := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":` +
				strings.Repeat(`{"arrayValue":{"values":[`, levels) + strings.Repeat(`]}}`, levels) + `}]}]}]}]}`
			if got, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeJSON, "", []byte(body)); got != http.StatusBadRequest {
				t.Errorf("%d levels: %d %s", levels, got, answer)
			}
		}
	})
	if kept := len(s.spans(t)); kept > 0 {
		t.Errorf("%d spans were kept", kept)
	}
	takesAGoodRequest(t, s, overGRPC, overHTTP)
	if err := exportBytes(t, overGRPC, testkit.NestedOTLP(40, 9, 2, 2, 1)); err != nil {
		t.Errorf("40 levels: %v", err)
	}
}

// TestFewBytesOfManyPartsAreRefused sends requests of small parts without content, each of which becomes an object of
// hundreds of bytes when it is decoded. As gzip they have a thousandth of their size.
func TestFewBytesOfManyPartsAreRefused(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, longTimeouts)
	const n = maxElements + 1
	var before, after runtime.MemStats
	bodies := map[string][]byte{
		"spans":                   testkit.Wrap(bytes.Repeat([]byte{0x12, 0}, testkit.Times(n, 7_000_000)), 2, 1),
		"spans of an old version": testkit.Wrap(bytes.Repeat([]byte{0x12, 0}, n), 1000, 1),
		"resources":               bytes.Repeat([]byte{0x0a, 0}, n),
		"attributes":              testkit.Wrap(bytes.Repeat([]byte{0x4a, 0}, n), 2, 2, 1),
		"links":                   testkit.Wrap(bytes.Repeat([]byte{0x6a, 0}, n), 2, 2, 1),
		"values":                  testkit.Wrap(bytes.Repeat([]byte{0x0a, 0}, n), 5, 2, 9, 2, 2, 1),
		"entries":                 testkit.Wrap(bytes.Repeat([]byte{0x0a, 0}, n), 6, 2, 9, 2, 2, 1),
		"keys of entities":        testkit.Wrap(bytes.Repeat([]byte{0x1a, 0}, n), 3, 1, 1),
	}
	for _, name := range testkit.Few(3, slices.Sorted(maps.Keys(bodies))) {
		t.Run(name, func(t *testing.T) {
			encodings := []string{"gzip"}
			if name == "spans" {
				encodings = append(encodings, "")
			}
			refused(t, overGRPC, overHTTP, bodies[name], http.StatusRequestEntityTooLarge, codes.ResourceExhausted, encodings...)
		})
	}
	t.Run("json", func(t *testing.T) {
		for _, part := range testkit.Few(1, []string{"{},", "null,"}) {
			body := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat(part, n) + `{}]}]}]}`
			if got, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeJSON, "", []byte(body)); got != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %d %s", part, got, answer)
			}
		}
	})
	runtime.ReadMemStats(&before)
	if err := exportBytes(t, overGRPC, testkit.Wrap(bytes.Repeat([]byte{0x12, 0}, maxSpans), 2, 1)); err != nil {
		t.Errorf("%d spans are allowed: %v", maxSpans, err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
		t.Errorf("the largest request that is allowed took %d bytes", took)
	}
	s.batches = nil
	takesAGoodRequest(t, s, overGRPC, overHTTP)
}

// TestASlowRequestIsGivenUp sends the beginnings of requests, all that may be read at a time, and then nothing.
func TestASlowRequestIsGivenUp(t *testing.T) {
	within := timeouts{slot: 100 * time.Millisecond, read: time.Second, idle: time.Minute}
	s, overGRPC, overHTTP := receive(t, within)
	var slow []net.Conn
	for range maxReading {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", overHTTP)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		slow = append(slow, connection)
		if _, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\nx", tracesPath, typeProtobuf); err != nil {
			t.Fatal(err)
		}
	}
	_, good := exportRequest(t)
	for { // until the last of them is being read
		got, _, header := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeProtobuf, "", good)
		if got == http.StatusServiceUnavailable {
			if header.Get("Retry-After") == "" {
				t.Error("a receiver that is busy does not say when to try again")
			}
			break
		}
		if t.Context().Err() != nil || got != http.StatusOK {
			t.Fatalf("beside slow requests: %d", got)
		}
	}
	for _, connection := range slow {
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Errorf("a slow request gets no answer: %v", err)
			continue
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("a slow request is answered %s, %v", answer.Status, err)
		}
	}
	s.batches = nil
	takesAGoodRequest(t, s, overGRPC, overHTTP)
}

// TestASlowStreamIsGivenUp is the same over gRPC.
func TestASlowStreamIsGivenUp(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, timeouts{slot: time.Second, read: 300 * time.Millisecond, idle: time.Minute})
	connection, err := grpc.NewClient(overGRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	stream, err := connection.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true},
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export", grpc.ForceCodecV2(bytesCodec{}))
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	if err := stream.RecvMsg(&answer); status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "has not come") {
		t.Errorf("a stream without a message ends with %v", err)
	}
	takesAGoodRequest(t, s, overGRPC, overHTTP)
}

// endless is a body that never ends.
type endless struct{ sent int }

func (e *endless) Read(p []byte) (int, error) {
	if e.sent > 1<<30 {
		return 0, errors.New("a gigabyte was read")
	}
	clear(p)
	e.sent += len(p)
	return len(p), nil
}

// TestEndlessBodiesEnd sends bodies that have no end, and messages that announce gigabytes.
func TestEndlessBodiesEnd(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, defaultTimeouts)
	body := &endless{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+overHTTP+tracesPath, io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeProtobuf)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err == nil {
		_ = answer.Body.Close()
	}
	if err == nil && answer.StatusCode != http.StatusRequestEntityTooLarge || body.sent > 4*maxBody {
		t.Errorf("an endless body: %d bytes were sent, %v", body.sent, err)
	}
	large := bytes.Repeat([]byte{0x1a}, maxBody+1)
	for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor("gzip")}} {
		if err := exportBytes(t, overGRPC, large, options...); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a large message over gRPC: %v", err)
		}
	}
	takesAGoodRequest(t, s, overGRPC, overHTTP)
}
