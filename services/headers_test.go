package services

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/telemetry"
	"tracelab/internal/testkit/wiretap"
	"tracelab/services/flows"
)

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

// overTap reads what went to a port: requests by HTTP, or calls by gRPC. A virtual network has another name for the host than the configuration.
func overTap(t *testing.T, tap *wiretap.Tap, port string, read func(sent []byte) ([]http.Header, error)) []crossed {
	t.Helper()
	var all []crossed
	for _, sent := range tap.Sent(func(address string) bool { return strings.HasSuffix(address, ":"+port) }) {
		list, err := read(sent)
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range list {
			c := crossed{}
			for name, value := range telemetry.Lines(header) {
				c.keep(name, value)
			}
			all = append(all, c)
		}
	}
	return all
}

// overKafka reads the records of all topics, as a consumer that knows nothing of traces.
func (l *testLab) overKafka(n int) []crossed {
	l.Helper()
	var all []crossed
	for _, r := range brokertest.Records(l, n, patience, kgo.SeedBrokers(l.config.Kafka...), kgo.Dialer(l.config.Network.Dial), kgo.ConsumeTopics(flows.Order().Topics()...)) {
		c := crossed{}
		for _, h := range r.Headers {
			c.keep(h.Key, string(h.Value))
		}
		all = append(all, c)
	}
	return all
}

// TestHeadersAreWhatCrossedTheWire: sender and receiver of every hop have kept what lay on the wire between them, byte for byte.
func TestHeadersAreWhatCrossedTheWire(t *testing.T) {
	w := &wiretap.Tap{}
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
			http = append(http, overTap(t, w, port, wiretap.HTTP)...)
			_, port, _ = net.SplitHostPort(l.config.GRPC[name])
			grpc = append(grpc, overTap(t, w, port, wiretap.GRPC)...)
		}
		compareHop(t, "http", spans, telemetry.HTTPHeader, http, trace.SpanKindClient, trace.SpanKindServer)
		compareHop(t, "grpc", spans, telemetry.GRPCHeader, grpc, trace.SpanKindClient, trace.SpanKindServer)
		compareHop(t, "kafka", spans, telemetry.MessageHeader, messages, trace.SpanKindProducer, trace.SpanKindConsumer)
		for _, span := range spans {
			if text := strings.Join(attributes(span)[telemetry.OtherHeaders].AsStringSlice(), " "); strings.Contains(text, "secret") {
				t.Errorf("%s keeps a secret: %s", span.Name(), text)
			}
		}
	}, func(c *Config) {
		c.Telemetry.Headers, c.Network = true, Network{Listen: c.Network.Listen, Dial: w.Before(c.Network.Dial)}
	})
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
