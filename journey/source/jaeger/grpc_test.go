package jaeger_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

// raw passes messages on as bytes.
type raw struct{}

func (raw) Name() string                       { return "proto" }
func (raw) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }

var _ encoding.Codec = raw{}

// serve answers each call with what answer sends, and returns an address for Open.
func serve(t *testing.T, answer func(method string, request []byte, send func([]byte) error) error) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		return answer(method, request, func(message []byte) error { return stream.SendMsg(message) })
	}))
	done := make(chan error, 1)
	go func() { done <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "grpc://" + listener.Addr().String()
}

func open(t *testing.T, address string, opts ...jaeger.Option) jaeger.Store {
	t.Helper()
	store, err := jaeger.Open(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// fields reads a message of fields that are text or numbers, and of messages where the name ends in a point.
func fields(t *testing.T, message []byte, names map[protowire.Number]string) string {
	t.Helper()
	var list []string
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		message = message[n:]
		if kind == protowire.VarintType {
			value, n := protowire.ConsumeVarint(message)
			list, message = append(list, names[number]+"="+time.Duration(value).String()), message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		message = message[n:]
		if name := names[number]; strings.HasSuffix(name, ".") {
			list = append(list, name+"("+fields(t, value, map[protowire.Number]string{1: "1", 2: "2"})+")")
		} else {
			list = append(list, name+"="+string(value))
		}
	}
	return strings.Join(list, " ")
}

func protobuf(t *testing.T, one ptrace.Traces) []byte {
	t.Helper()
	var m ptrace.ProtoMarshaler
	message, err := m.MarshalTraces(one)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func TestGRPCTrace(t *testing.T) {
	asked := make(chan string, 2)
	store := open(t, serve(t, func(method string, request []byte, send func([]byte) error) error {
		asked <- method + " " + fields(t, request, map[protowire.Number]string{1: "trace_id", 2: "start_time.", 3: "end_time.", 4: "raw_traces"})
		return errors.Join(send(protobuf(t, trace(2))), send(protobuf(t, trace(3)))) // in pieces, as Jaeger does
	}))
	r, err := store.Trace(t.Context(), journey.TraceID{15: 2})
	if err != nil || len(r.Spans) != 2 || r.Spans[0].Start != base.UnixNano() || r.Spans[0].Source == "" {
		t.Errorf("got %+v, %v", r, err)
	}
	if got := <-asked; got != "/jaeger.api_v3.QueryService/GetTrace trace_id=00000000000000000000000000000002 raw_traces=1ns" {
		t.Errorf("asked %s", got)
	}
	_, err = store.Trace(t.Context(), journey.TraceID{15: 9})
	want(t, err, jaeger.NotStored, "no spans of that trace")
}

func TestGRPCSearch(t *testing.T) {
	asked := make(chan string, 3)
	store := open(t, serve(t, func(method string, request []byte, send func([]byte) error) error {
		_, _, n := protowire.ConsumeTag(request)
		query, _ := protowire.ConsumeBytes(request[n:])
		asked <- method + " " + fields(t, query, map[protowire.Number]string{1: "service_name", 2: "operation_name", 3: "attributes.", 4: "min.", 5: "max.", 6: "shortest.", 7: "longest.", 8: "depth", 9: "raw"})
		return errors.Join(send(protobuf(t, trace(1))), send(protobuf(t, trace(2))))
	}))
	q := source.Query{Service: "shop", Operation: "op 2", Attributes: map[string]string{"order": "2"}, Start: base, End: base.Add(time.Second), MinDuration: 1500 * time.Millisecond, MaxDuration: time.Minute, Limit: 2}
	r, err := store.Search(t.Context(), q)
	if err != nil || len(r.Spans) != 2 || r.Spans[0].Trace != (journey.TraceID{15: 2}) || len(r.Warnings) != 1 || r.Warnings[0].Rule != journey.RuleSearchCut {
		t.Errorf("got %+v, %v", r, err)
	}
	if got := <-asked; got != "/jaeger.api_v3.QueryService/FindTraces service_name=shop operation_name=op 2 attributes.(1=order 2=2) min.(1=1.788264s 2=123.456789ms) "+
		"max.(1=1.788264001s 2=123.456789ms) shortest.(1=1ns 2=500ms) longest.(1=60ns 2=0s) depth=2ns raw=1ns" {
		t.Errorf("asked %s", got)
	}
	r, err = store.Search(t.Context(), source.Query{Start: base, End: base.Add(time.Second)})
	if got := <-asked; err != nil || len(r.Spans) != 4 || len(r.Warnings) != 0 || !strings.HasSuffix(got, "depth=1.5µs raw=1ns") {
		t.Errorf("got %+v, %v, asked %s", r, err, got)
	}
	_, err = store.Search(t.Context(), source.Query{})
	want(t, err, jaeger.BadQuery, "needs a time to start")
}

func TestGRPCFailures(t *testing.T) {
	for _, c := range []struct {
		code  codes.Code
		kind  jaeger.Kind
		words string
	}{
		{codes.Unavailable, jaeger.Down, "no Jaeger answers"}, {codes.DeadlineExceeded, jaeger.Slow, "in time"}, {codes.NotFound, jaeger.NotStored, "does not have it"},
		{codes.Unimplemented, jaeger.NotJaeger, "not Jaeger's"}, {codes.Unauthenticated, jaeger.Refused, "credentials"}, {codes.PermissionDenied, jaeger.Refused, ""},
		{codes.InvalidArgument, jaeger.BadQuery, "does not accept"}, {codes.ResourceExhausted, jaeger.Damaged, "cannot be read"}, {codes.Unknown, jaeger.Failed, "Jaeger failed"},
	} {
		store := open(t, serve(t, func(string, []byte, func([]byte) error) error { return status.Error(c.code, "because") }))
		_, err := store.Trace(t.Context(), journey.TraceID{15: 1})
		want(t, err, c.kind, c.words, "because")
		r, err := store.Search(t.Context(), source.Query{Start: base, End: base.Add(1)})
		if c.code != codes.NotFound {
			want(t, err, c.kind)
		} else if err != nil || len(r.Spans) != 0 {
			t.Errorf("a search without a match: %v", err)
		}
	}
	store := open(t, serve(t, func(_ string, _ []byte, send func([]byte) error) error { return send([]byte{0x0a, 0x7f}) }))
	_, err := store.Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Damaged, "not an OTLP protobuf message")
	store = open(t, strings.Replace(newServer(t, newest).URL, "http:", "grpc:", 1))
	_, err = store.Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.NotJaeger, "that is not Jaeger's query API")
	_, err = open(t, "grpc://127.0.0.1:1").Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Down, "connection refused")
}

func TestGRPCSlowAndTooLong(t *testing.T) {
	gone := make(chan struct{})
	address := serve(t, func(method string, request []byte, send func([]byte) error) error {
		if err := send(protobuf(t, trace(1))); err != nil {
			return err
		}
		<-gone
		return nil
	})
	defer close(gone)
	conn, err := grpc.NewClient(strings.TrimPrefix(address, "grpc://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err = open(t, address, jaeger.WithGRPCConn(conn), jaeger.WithTimeout(50*time.Millisecond)).Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Slow, "in time")
	_, err = open(t, address, jaeger.WithGRPCConn(conn), jaeger.WithLimit(100)).Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Damaged, "larger than max")
	endless := serve(t, func(_ string, _ []byte, send func([]byte) error) error {
		for {
			if err := send(protobuf(t, trace(1))); err != nil {
				return err
			}
		}
	})
	_, err = open(t, endless, jaeger.WithLimit(10_000)).Trace(t.Context(), journey.TraceID{15: 1})
	want(t, err, jaeger.Damaged, "the answer is longer than 10000 bytes")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := open(t, address, jaeger.WithGRPCConn(conn)).Trace(ctx, journey.TraceID{15: 1}); !errors.Is(err, context.Canceled) || errors.As(err, new(*jaeger.Error)) {
		t.Errorf("cancelled by the caller: %v", err)
	}
}
