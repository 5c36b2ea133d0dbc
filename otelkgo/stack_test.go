//go:build stack

package otelkgo_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// These tests need a real Kafka, at KAFKA_ADDR; kcat (Debian's package of that
// name); and node with kafkajs in NODE_PATH. Each has a topic of its own, which
// goes with it. What is missing fails, because a skip would hide that nothing
// was tested.

// kafka is a real broker with one topic.
type kafka struct {
	addr, topic string
	spans       *tracetest.SpanRecorder
	tp          *sdktrace.TracerProvider
	in          *otelkgo.Instrumentation
}

func newKafka(t *testing.T, opts ...otelkgo.Option) *kafka {
	t.Helper()
	k := &kafka{addr: os.Getenv("KAFKA_ADDR"), topic: fmt.Sprintf("otelkgo-%d", time.Now().UnixNano()), spans: tracetest.NewSpanRecorder()}
	if k.addr == "" {
		t.Fatal("KAFKA_ADDR is not set: give it the address of a Kafka broker")
	}
	k.tp = sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(&countingIDs{}), sdktrace.WithSpanProcessor(copyBaggage{}), sdktrace.WithSpanProcessor(k.spans))
	var err error
	k.in, err = otelkgo.New(append([]otelkgo.Option{otelkgo.WithTracerProvider(k.tp), otelkgo.WithPropagator(propagator)}, opts...)...)
	check(t, err)
	plain, err := kgo.NewClient(kgo.SeedBrokers(k.addr))
	check(t, err)
	admin := kadm.NewClient(plain)
	_, err = admin.CreateTopic(t.Context(), 2, 1, nil, k.topic)
	check(t, err)
	t.Cleanup(func() {
		if _, err := admin.DeleteTopic(context.Background(), k.topic); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	return k
}

func (k *kafka) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(k.addr), kgo.WithHooks(k.in.Hooks()...), kgo.ClientID("test"), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	check(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func (k *kafka) poll(t *testing.T, cl *kgo.Client, n int) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var records []*kgo.Record
	for len(records) < n {
		fetches := k.in.PollFetches(ctx, cl)
		check(t, fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// TestStackRelations has the same spans come from a real broker as from the
// virtual one: it compares with the same golden files.
func TestStackRelations(t *testing.T) {
	for _, relation := range []otelkgo.Relation{otelkgo.RelationBoth, otelkgo.RelationParent, otelkgo.RelationLink} {
		t.Run(relation.String(), func(t *testing.T) {
			k := newKafka(t, otelkgo.WithRelation(relation), otelkgo.WithDestinationTemplate(func(string) string { return "orders" }))
			cl := k.client(t, kgo.ConsumerGroup(k.topic), kgo.ConsumeTopics(k.topic), kgo.DisableAutoCommit())
			b := &bubble{T: t, tp: k.tp}
			ctx, server := b.order("o-1")
			b.produce(ctx, cl, &kgo.Record{Topic: k.topic, Key: []byte("o-1"), Value: []byte("{}")})
			server.End()
			r := k.poll(t, cl, 1)[0]
			check(t, k.in.Process(t.Context(), r, func(ctx context.Context, _ *kgo.Record) error {
				_, inner := k.tp.Tracer("test").Start(ctx, "shipping.Dispatch")
				inner.End()
				return nil
			}))
			check(t, k.in.CommitOffsets(ctx, cl, map[string]map[int32]kgo.EpochOffset{k.topic: {r.Partition: {Epoch: -1, Offset: r.Offset + 1}}}))
			want, err := os.ReadFile("testdata/relation-" + relation.String() + ".txt")
			check(t, err)
			if got, want := structure(render(k.spans.Ended())), structure(string(want)); got != want {
				t.Errorf("spans:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// structure leaves out what names the topic, the group and the host.
func structure(spans string) string {
	lines := slices.DeleteFunc(strings.Split(spans, "\n"), func(l string) bool {
		for _, key := range []string{"destination.", "group.name", "server."} {
			if strings.Contains(l, key) && !strings.Contains(l, "partition.id") {
				return true
			}
		}
		return false
	})
	return strings.Join(lines, "\n")
}

// kcat writes records; their context is read, or refused politely.
func TestStackKcatWrites(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	k := newKafka(t)
	for key, headers := range map[string][]string{
		"good":    {"traceparent=" + good, "baggage=order=7"},
		"upper":   {"Traceparent=" + good},
		"broken":  {"traceparent=nonsense"},
		"none":    nil,
		"doubled": {"traceparent=" + good, "traceparent=" + good},
	} {
		args := []string{"-P", "-b", k.addr, "-t", k.topic, "-p", "0", "-K", ":"}
		for _, h := range headers {
			args = append(args, "-H", h)
		}
		kcat(t, key+":{}", args...)
	}
	cl := k.client(t, kgo.ConsumeTopics(k.topic))
	got := map[string]string{}
	for _, r := range k.poll(t, cl, 5) {
		_, p := k.in.StartProcess(t.Context(), r)
		got[string(r.Key)] = p.Span().SpanContext().TraceID().String()
		p.End(nil)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		// The stock propagator follows the last of doubled headers; that the
		// carrier shows both is TestForeignHeaders.
		joined := key == "good" || key == "upper" || key == "doubled"
		if (got[key] == good[3:35]) != joined {
			t.Errorf("%s: trace %s", key, got[key])
		}
	}
	if len(got) != 5 {
		t.Errorf("records %v", got)
	}
}

// kcat reads our records with their headers.
func TestStackKcatReads(t *testing.T) {
	k := newKafka(t)
	cl := k.client(t)
	b := &bubble{T: t, tp: k.tp}
	ctx, server := b.order("7")
	b.produce(ctx, cl, &kgo.Record{Topic: k.topic, Value: []byte("{}")})
	server.End()
	out := kcat(t, "", "-C", "-b", k.addr, "-t", k.topic, "-o", "beginning", "-e", "-q", "-f", "%h %s\n")
	if want := k.sentTraceparent(); !strings.Contains(out, want) || !strings.Contains(out, "baggage=order=7") {
		t.Errorf("kcat reads %q, want %q and the baggage", out, want)
	}
}

// kafkajs writes a record with a context, one with doubled headers and one with
// binary ones.
func TestStackKafkaJSWrites(t *testing.T) {
	k := newKafka(t)
	kafkaJS(t, k, `
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [
    { partition: 0, key: 'good', value: '{}', headers: { traceparent: good, baggage: 'order=8' } },
    { partition: 0, key: 'doubled', value: '{}', headers: { traceparent: [good, good] } },
    { partition: 0, key: 'binary', value: '{}', headers: { traceparent: Buffer.from([0, 255, 1]), other: Buffer.from([7]) } },
  ] });
  await producer.disconnect();`)
	cl := k.client(t, kgo.ConsumeTopics(k.topic))
	got := map[string]string{}
	for _, r := range k.poll(t, cl, 3) {
		if n := len((otelkgo.RecordCarrier{Record: r}).Values("traceparent")); string(r.Key) == "doubled" && n != 2 {
			t.Errorf("%d values of a doubled header", n)
		}
		_, p := k.in.StartProcess(t.Context(), r)
		got[string(r.Key)] = p.Span().SpanContext().TraceID().String()
		p.End(nil)
	}
	const theirs = "0af7651916cd43dd8448eb211c80319c"
	if len(got) != 3 || got["good"] != theirs || got["binary"] == theirs {
		t.Errorf("traces %v", got)
	}
}

// kafkajs reads our records with their headers.
func TestStackKafkaJSReads(t *testing.T) {
	k := newKafka(t)
	cl := k.client(t, kgo.ProducerBatchCompression(kgo.NoCompression())) // kafkajs stops at snappy, which is kgo's first choice
	b := &bubble{T: t, tp: k.tp}
	ctx, server := b.order("7")
	b.produce(ctx, cl, &kgo.Record{Topic: k.topic, Value: []byte("{}")})
	server.End()
	out := kafkaJS(t, k, `
  const consumer = kafka.consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((done) => consumer.run({ eachMessage: async ({ message }) => {
    for (const [name, value] of Object.entries(message.headers)) console.log(name + '=' + value.toString());
    done();
  } }));
  await consumer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([topic]);
  await admin.disconnect();`)
	if want := k.sentTraceparent(); !strings.Contains(out, want) || !strings.Contains(out, "baggage=order=7") {
		t.Errorf("kafkajs reads %q, want %q and the baggage", out, want)
	}
}

// sentTraceparent is the header that the span of the last send has written.
func (k *kafka) sentTraceparent() string {
	var sent trace.SpanContext
	for _, s := range k.spans.Ended() {
		if strings.HasPrefix(s.Name(), "send") {
			sent = s.SpanContext()
		}
	}
	return "traceparent=00-" + sent.TraceID().String() + "-" + sent.SpanID().String() + "-01"
}

// kafkaJS runs the body of an async function with kafka and topic.
func kafkaJS(t *testing.T, k *kafka, body string) string {
	t.Helper()
	if os.Getenv("NODE_PATH") == "" {
		t.Fatal("NODE_PATH is not set: npm install kafkajs somewhere, and set it to that node_modules")
	}
	return command(t, `
const { Kafka, logLevel } = require('kafkajs');
const [, , addr, topic] = process.argv;
const kafka = new Kafka({ brokers: [addr], logLevel: logLevel.NOTHING });
(async () => {`+body+`
})().catch((err) => { console.error(err); process.exit(1); });
`, "node", "-", k.addr, k.topic)
}

func kcat(t *testing.T, input string, args ...string) string {
	t.Helper()
	return command(t, input, "kcat", args...)
}

func command(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.String())
	}
	return string(out)
}
