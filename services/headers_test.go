package services

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"tracelab/internal/telemetry"
	"tracelab/services/flows"
)

// wire keeps what clients have written on their connections, by the port that they dialled: what a proxy in between would see.
type wire struct {
	mu    sync.Mutex
	conns map[string][]*bytes.Buffer
}

// tapped is a connection that the wire listens to.
type tapped struct {
	net.Conn
	wire *wire
	sent *bytes.Buffer
}

// Write writes, and lets the wire have it.
func (c tapped) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.sent.Write(p[:n])
	return n, err
}

func (w *wire) tap(network Network) Network {
	return Network{Listen: network.Listen, Dial: func(ctx context.Context, kind, address string) (net.Conn, error) {
		conn, err := network.Dial(ctx, kind, address)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		c := tapped{conn, w, &bytes.Buffer{}}
		_, port, _ := net.SplitHostPort(address) // a virtual network has another name for the host than the configuration
		w.conns[port] = append(w.conns[port], c.sent)
		return c, nil
	}}
}

// crossed are the values of the kept headers of one hop.
type crossed map[string][]string

// traceparent is what tells hops apart: it has the id of the span that sent.
func (c crossed) traceparent() string { return strings.Join(c["traceparent"], ",") }

// keep takes a header that the lab keeps. The carriers add content-type on their own behind gRPC's handlers, so it is left out.
func (c crossed) keep(name, value string) {
	if name = strings.ToLower(name); slices.Contains([]string{"traceparent", "tracestate", "baggage"}, name) {
		c[name] = append(c[name], value)
	}
}

// overHTTP reads the requests that went to a port.
func (w *wire) overHTTP(t *testing.T, port string) []crossed {
	t.Helper()
	var all []crossed
	for _, sent := range w.conns[port] {
		reader := bufio.NewReader(bytes.NewReader(sent.Bytes()))
		for {
			r, err := http.ReadRequest(reader)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			c := crossed{}
			for name, value := range telemetry.Lines(r.Header) {
				c.keep(name, value)
			}
			all = append(all, c)
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// overGRPC reads the calls that went to a port out of their HTTP/2 frames.
func (w *wire) overGRPC(t *testing.T, port string) []crossed {
	t.Helper()
	var all []crossed
	for _, sent := range w.conns[port] {
		frames := bytes.NewReader(sent.Bytes()[min(sent.Len(), len(http2.ClientPreface)):])
		framer := http2.NewFramer(nil, frames)
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		for {
			frame, err := framer.ReadFrame()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
				c := crossed{}
				for _, field := range headers.Fields {
					c.keep(field.Name, field.Value)
				}
				all = append(all, c)
			}
		}
	}
	return all
}

// overKafka reads the records of all topics, as a consumer that knows nothing of traces.
func (l *testLab) overKafka(n int) []crossed {
	l.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.config.Kafka...), kgo.Dialer(l.config.Network.Dial), kgo.DisableClientMetrics(),
		kgo.ConsumeTopics(flows.Order().Topics()...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	l.must(err)
	defer client.Close()
	var all []crossed
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		l.must(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			c := crossed{}
			for _, h := range r.Headers {
				c.keep(h.Key, string(h.Value))
			}
			all = append(all, c)
		})
	}
	return all
}

// TestHeadersAreWhatCrossedTheWire: sender and receiver of every hop have kept what lay on the wire between them, byte for byte.
func TestHeadersAreWhatCrossedTheWire(t *testing.T) {
	w := &wire{conns: map[string][]*bytes.Buffer{}}
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			e := in("headers", form)
			l.await(l.place(e, tea, "Tracestate", "vendor=x", "Baggage", "tenant=acme%20ltd", "Authorization", "secret").id())
			l.until("all steps have ended", func() bool { return len(l.steps(e)) == len(everyStep) })
		}
		spans := l.ended()
		messages := l.overKafka(5 + 6) // of a kafka and a hybrid order
		l.must(l.stop(patience))       // or connections would write while they are read
		var http, grpc []crossed
		for _, name := range Names() {
			_, port, _ := net.SplitHostPort(l.config.HTTP[name])
			http = append(http, w.overHTTP(t, port)...)
			_, port, _ = net.SplitHostPort(l.config.GRPC[name])
			grpc = append(grpc, w.overGRPC(t, port)...)
		}
		compareHop(t, "http", spans, telemetry.HTTPHeader, http, trace.SpanKindClient, trace.SpanKindServer)
		compareHop(t, "grpc", spans, telemetry.GRPCHeader, grpc, trace.SpanKindClient, trace.SpanKindServer)
		compareHop(t, "kafka", spans, telemetry.MessageHeader, messages, trace.SpanKindProducer, trace.SpanKindConsumer)
		for _, span := range spans {
			if text := strings.Join(attributes(span)[telemetry.OtherHeaders].AsStringSlice(), " "); strings.Contains(text, "secret") {
				t.Errorf("%s keeps a secret: %s", span.Name(), text)
			}
		}
	}, func(c *Config) { c.Telemetry.Headers, c.Network = true, w.tap(c.Network) })
}

// compareHop holds what both sides kept against the wire.
func compareHop(t *testing.T, carrier string, spans []sdktrace.ReadOnlySpan, prefix string, onWire []crossed, kinds ...trace.SpanKind) {
	t.Helper()
	want := map[string]crossed{}
	for _, c := range onWire {
		if c.traceparent() != "" { // questions about orders have none
			want[c.traceparent()] = c
		}
	}
	if len(want) == 0 {
		t.Fatalf("%s: nothing on the wire", carrier)
	}
	for _, kind := range kinds {
		got := map[string]crossed{}
		for _, span := range spans {
			c := crossed{}
			for key, value := range attributes(span) {
				if name, ok := strings.CutPrefix(string(key), prefix); ok && span.SpanKind() == kind {
					for _, v := range value.AsStringSlice() {
						c.keep(name, v)
					}
				}
			}
			if _, ours := want[c.traceparent()]; ours || c.traceparent() != "" && kind != trace.SpanKindServer {
				got[c.traceparent()] = c
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, %s spans (-wire +kept), %d of %d:\n%s", carrier, kind, len(got), len(want), diff)
		}
		if slices.ContainsFunc(slices.Collect(maps.Values(got)), func(c crossed) bool { return len(c["baggage"]) == 0 || len(c["tracestate"]) == 0 }) {
			t.Errorf("%s, %s spans: a hop without baggage or tracestate", carrier, kind)
		}
	}
}
