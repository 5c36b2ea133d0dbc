//go:build stack

package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/journey/source"
)

// topic is one on the real broker.
type topic struct {
	name   string
	client *kgo.Client // reads it from its start
	sizes  []int       // of the records that were read
	found  []stored    // the spans in them
}

func newTopic(t testing.TB, settings map[string]*string) *topic {
	t.Helper()
	address := os.Getenv("KAFKA_ADDR")
	if address == "" {
		t.Fatal("KAFKA_ADDR is empty: start a Kafka with `task kafka` and set KAFKA_ADDR to the address that it prints")
	}
	name := fmt.Sprintf("collector-%d", time.Now().UnixNano())
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics(name), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(t.Context(), 3, 1, settings, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.DeleteTopic(context.Background(), name); err != nil {
			t.Error(err)
		}
		client.Close()
	})
	return &topic{name: name, client: client}
}

// awaitSpans reads records until the topic has every span that the sender exported, and no other.
func (k *topic) awaitSpans(t testing.TB, s *sender) {
	t.Helper()
	await(t, "spans on Kafka", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		k.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			read, err := source.Read(bytes.NewReader(r.Value), "record")
			if err != nil || read.Damaged > 0 {
				t.Fatalf("a record of %d bytes cannot be read: %v, %v", len(r.Value), err, read.Warnings)
			}
			if r.Key != nil {
				t.Errorf("key %q: a batch has spans of many traces", r.Key)
			}
			k.sizes = append(k.sizes, len(r.Value))
			for _, span := range read.Spans {
				k.found = append(k.found, stored{trace: span.Trace.String(), id: span.ID.String(), name: span.Name})
			}
		})
		missing, strange, _ := s.compare(k.found)
		if missing > 0 || strange > 0 {
			return fmt.Errorf("%d spans are missing, %d are nobody's", missing, strange)
		}
		return nil
	})
}

// open opens a door: an address in front of the broker, where nobody listens before it is opened. The broker names its own address to who comes in.
func (k *topic) open(t testing.TB, door string) {
	t.Helper()
	listener, err := net.Listen("tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			inside, err := net.Dial("tcp", os.Getenv("KAFKA_ADDR"))
			if err != nil {
				_ = outside.Close()
				continue
			}
			go pipe(outside, inside)
			go pipe(inside, outside)
		}
	}()
}

// pipe copies until one side ends, and closes both.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}

// startWithKafka is a collector that also sends to Kafka.
func startWithKafka(t testing.TB, jaeger, kafka, topic string, configs ...string) *collector {
	t.Helper()
	return startCollector(t, collectorOptions{jaeger: jaeger, configs: append([]string{"kafka.yaml"}, configs...), env: []string{"COLLECTOR_KAFKA=" + kafka, "COLLECTOR_KAFKA_TOPIC=" + topic}})
}

// toKafka are the accounts of the exporter to Kafka.
func (c *collector) toKafka(t testing.TB) spanSums {
	t.Helper()
	all := page(t, c.metrics)
	of := func(name string) float64 { return sum(all, name, "exporter", "kafka/watch") }
	return spanSums{accepted: sum(all, "otelcol_receiver_accepted_spans"), sent: of("otelcol_exporter_sent_spans"), failed: of("otelcol_exporter_send_failed_spans"), queued: of("otelcol_exporter_queue_size"), refused: of("otelcol_exporter_enqueue_failed_spans")}
}

// TestSpansAreOnKafkaBesideJaeger begins without the broker: what waits for it is on disk, through a kill, and Jaeger has it all meanwhile.
func TestSpansAreOnKafkaBesideJaeger(t *testing.T) {
	t.Parallel()
	j, k, door := startJaeger(t), newTopic(t, nil), freePort(t)
	c := startWithKafka(t, j.otlp, door, k.name)
	s := newSender(t, c.otlp, telemetry.QueueConfig{})
	s.journeys(1500)
	want := float64(s.finish(t).Exported)
	if duplicates := s.awaitArrival(t, j); duplicates != 0 {
		t.Errorf("%d spans are in Jaeger more than once", duplicates)
	}
	if got := c.toKafka(t); got != (spanSums{accepted: want, queued: want}) {
		t.Errorf("%+v without a broker, want all %.0f in the queue", got, want)
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	c.start(t)
	k.open(t, door)
	k.awaitSpans(t, s)
	if _, _, duplicates := s.compare(k.found); duplicates != 0 {
		t.Errorf("%d spans are on Kafka more than once; no export had begun to succeed", duplicates)
	}
	await(t, "the queue is empty", func() error {
		if got := c.toKafka(t); got != (spanSums{sent: want}) {
			return fmt.Errorf("%+v, want %.0f sent", got, want)
		}
		return nil
	})
	t.Logf("%d records for %d spans, bytes %v", len(k.sizes), len(k.found), k.sizes)
}

// large is a span of about as many bytes, before compression and after it.
func large(name string, bytes int) spec {
	return spec{service: "gateway", name: name, end: time.Millisecond, attributes: []attribute.KeyValue{attribute.String("text", text(bytes))}}
}

// TestLargeSpansFitIntoKafkasRecords: with the limit that kafka.yaml asks for, what the Collector takes arrives.
func TestLargeSpansFitIntoKafkasRecords(t *testing.T) {
	t.Parallel()
	k := newTopic(t, map[string]*string{"max.message.bytes": new("5242880")})
	c := startWithKafka(t, "", os.Getenv("KAFKA_ADDR"), k.name)
	s := newSender(t, c.otlp, telemetry.QueueConfig{Interval: 100 * time.Millisecond})
	for range 40 {
		s.send(trace.SpanContext{}, time.Now(), large("GET /", 30_000))
	}
	s.send(trace.SpanContext{}, time.Now(), large("GET /large", 2_500_000))
	s.send(trace.SpanContext{}, time.Now(), large("GET /small", 10))
	s.finish(t)
	k.awaitSpans(t, s)
	if slices.Max(k.sizes) < 2_500_000 {
		t.Errorf("records of %v bytes: want one for the large span", k.sizes)
	}
}

// TestARecordThatKafkaRefusesIsCounted: with Kafka's own limit the batch with a span above it is lost, and no other.
func TestARecordThatKafkaRefusesIsCounted(t *testing.T) {
	t.Parallel()
	k := newTopic(t, nil)
	c := startWithKafka(t, "", os.Getenv("KAFKA_ADDR"), k.name)
	s := newSender(t, c.otlp, telemetry.QueueConfig{Interval: 100 * time.Millisecond})
	lost := s.send(trace.SpanContext{}, time.Now(), large("GET /large", 2_500_000))
	await(t, "the refused one is counted", func() error {
		if got := c.toKafka(t); got != (spanSums{accepted: 1, failed: 1}) {
			return fmt.Errorf("%+v, want 1 failed", got)
		}
		return nil
	})
	s.send(trace.SpanContext{}, time.Now(), large("GET /small", 10))
	s.finish(t)
	s.dropped[lost.SpanID().String()] = true
	k.awaitSpans(t, s)
	await(t, "the other is counted", func() error {
		if got := c.toKafka(t); got != (spanSums{accepted: 2, sent: 1, failed: 1}) {
			return fmt.Errorf("%+v, want 1 sent and 1 failed", got)
		}
		return nil
	})
}

// text cannot be compressed to nothing.
func text(bytes int) string {
	b := make([]byte, bytes)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = 'a' + byte(state>>24)%26
	}
	return string(b)
}

// TestAFullQueueTowardsKafkaRefuses: the senders hear of it, and Jaeger has what was refused all the same.
func TestAFullQueueTowardsKafkaRefuses(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startWithKafka(t, j.otlp, freePort(t), "nowhere", "yaml:exporters::kafka/watch::sending_queue::queue_size: 1000")
	s := newSender(t, c.otlp, telemetry.QueueConfig{Batch: 100, Timeout: 500 * time.Millisecond})
	s.journeys(300)
	counts := s.finish(t)
	got := c.toKafka(t)
	if counts.Dropped < 200 || got.refused < 200 || got.queued > 1000 || got.queued < 900 || got.sent+got.failed != 0 {
		t.Errorf("%+v at the Collector, %+v at the sender: want a full queue, and the rest refused", got, counts)
	}
	await(t, "Jaeger has them all", func() error {
		if found := perTrace(j.spans(t, senderServices)); len(found) != 300 {
			return fmt.Errorf("%d traces, want 300", len(found))
		}
		return nil
	})
}
