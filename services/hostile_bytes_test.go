package services

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"tracelab/services/internal/orderpb"
)

// TestBytesThatAreNotUTF8 come in by every way there is. No span has them: protobuf would refuse a whole batch for one.
func TestBytesThatAreNotUTF8(t *testing.T) {
	onLoopback(t, func(l *testLab) {
		body := `{"customer":"ada","sku":"tea-green","quantity":1}`
		for _, headers := range []string{
			"User-Agent: \xff\xfe", "X-Forwarded-For: \xff\xfe, 10.0.0.1", "Baggage: tracelab.run.id=%ff%fe", "Baggage: k=\xff\xfe", "Tracestate: k=\xff\xfe",
			"Traceparent: \xff\xfe", "Content-Type: \xff\xfe", "Idempotency-Key: \xff\xfe", "Baggage: tracelab.form=%ff", "User-Agent: " + strings.Repeat("€", 10_000),
		} {
			status := rawRequest(l, fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: lab\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", headers, len(body), body))
			if status == 0 {
				t.Errorf("%q got no answer", headers)
			}
		}
		for _, bad := range []string{"{\"customer\":\"\xff\xfe\",\"sku\":\"tea-green\",\"quantity\":1}", "{\"\xff\":1}", "\xff\xfe"} {
			rawRequest(l, fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: lab\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(bad), bad))
			l.post(Payment, "/charge", bad)
		}
		callWithBytes(l)
		l.produceRaw("stock.reserved", "\xff\xfe{", "{\"order\":{\"id\":\"\xff\xfe\"}}", "{\"order\":{\"id\":\"a\"},\"\xff\":1}")
		l.until("the bad records are skipped", func() bool { return l.system.Skipped() == 3 })
		l.must(l.stop(patience))
		for _, span := range l.ended() {
			checkUTF8(t, span)
		}
	})
}

// rawRequest sends bytes as they are to the gateway and returns the answer's status, 0 without one.
func rawRequest(l *testLab, request string) int {
	l.Helper()
	conn, err := net.Dial("tcp", l.system.Address(Gateway))
	l.must(err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte(request))
	l.must(err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// callWithBytes calls a step over gRPC with metadata of any bytes.
func callWithBytes(l *testLab) {
	l.Helper()
	conn, err := grpc.NewClient(l.system.GRPCAddress(Payment), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUserAgent("\xff\xfe"), grpc.WithAuthority("\xff\xfe"))
	l.must(err)
	defer func() { l.must(conn.Close()) }()
	for _, key := range []string{"baggage", "traceparent", "tracestate", "x-forwarded-for", "k-bin"} {
		ctx := metadata.AppendToOutgoingContext(context.Background(), key, "tracelab.form=\xff\xfe")
		_ = conn.Invoke(ctx, "/tracelab.order.v1.Payment/Charge", &orderpb.Event{Order: anOrder("a", "tea-green", "1")}, &orderpb.Receipt{})
	}
}

// produceRaw puts values as they are on a topic.
func (l *testLab) produceRaw(topic string, values ...string) {
	l.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.config.Kafka...), kgo.Dialer(l.config.Network.Dial), kgo.DisableClientMetrics())
	l.must(err)
	defer client.Close()
	for _, value := range values {
		l.must(client.ProduceSync(context.Background(), &kgo.Record{Topic: l.config.Prefix + topic, Key: []byte("key"), Value: []byte(value)}).FirstErr())
	}
}

const mostBytes = 2048 // of a string that an outsider can put into a span

func checkUTF8(t *testing.T, span sdktrace.ReadOnlySpan) {
	t.Helper()
	check := func(what, text string) {
		if !utf8.ValidString(text) || len(text) > mostBytes {
			t.Errorf("%s of %s: %.40q (%d bytes)", what, span.Name(), text, len(text))
		}
	}
	check("name", span.Name())
	check("status", span.Status().Description)
	check("tracestate", span.SpanContext().TraceState().String())
	for _, kv := range span.Attributes() {
		check(string(kv.Key), kv.Value.String())
	}
	for _, event := range span.Events() {
		check("event", event.Name)
		for _, kv := range event.Attributes {
			check(string(kv.Key), kv.Value.String())
		}
	}
}
