package carrier

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"tracelab/internal/telemetry"
	"tracelab/otelkgo"
	"tracelab/services/internal/orderpb"
	"tracelab/tracecontext"
)

// TestMain finds goroutines that a test on the loopback has left. A bubble finds its own.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bubble is virtual time with a virtual network, and a service's telemetry in memory.
type bubble struct {
	*testing.T
	network  Network
	spans    *tracetest.SpanRecorder
	log      *lockedBuffer
	provider *telemetry.Provider
	cluster  *kfake.Cluster // nil without withKafka
}

// inBubble runs f in virtual time. The bubble fails when a goroutine is left.
func inBubble(t *testing.T, f func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		f(newBubble(t, Network{Listen: network.Listen, Dial: network.DialContext}))
	})
}

func newBubble(t *testing.T, network Network) *bubble {
	t.Helper()
	b := &bubble{T: t, network: network, spans: tracetest.NewSpanRecorder(), log: &lockedBuffer{}}
	var err error
	b.provider, err = telemetry.Config{
		Processors: []sdktrace.SpanProcessor{b.spans}, Propagator: tracecontext.New(),
		Logs: slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}),
	}.New("test")
	b.must(err)
	return b
}

// withKafka is inBubble with a broker.
func withKafka(t *testing.T, f func(b *bubble)) {
	t.Helper()
	inBubble(t, func(b *bubble) {
		var err error
		b.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(b.network.Listen))
		b.must(err)
		defer b.cluster.Close()
		f(b)
	})
}

func (b *bubble) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// open connects a service to the broker; it consumes the topic "orders" when there is a handler. A test closes it.
func (b *bubble) open(handle func(ctx context.Context, topic string, event *orderpb.Event) error) *Kafka {
	b.Helper()
	k, err := b.tryOpen(handle)
	b.must(err)
	for deadline := time.Now().Add(time.Minute); !k.Ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("the group has no partitions after a minute")
		}
	}
	time.Sleep(300 * time.Millisecond) // fetches that began before all partitions were there have ended
	return k
}

func (b *bubble) tryOpen(handle func(ctx context.Context, topic string, event *orderpb.Event) error) (*Kafka, error) {
	config := KafkaConfig{
		Service: "test", Addresses: b.cluster.ListenAddrs(), Prefix: "run7.", Topics: []string{"orders", "answers"}, Workers: 4,
		Network: b.network, Provider: b.provider, Handle: handle,
		Relation: func(context.Context) otelkgo.Relation { return otelkgo.RelationBoth },
	}
	if handle != nil {
		config.Consume = []string{"orders"}
	}
	return OpenKafka(b.Context(), config)
}

// drainAndClose ends a connection the way that a service does.
func (b *bubble) drainAndClose(k *Kafka) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.must(k.Drain(ctx))
	k.Close(ctx)
}

// admin runs f with a client of the broker that no service knows of.
func (b *bubble) admin(f func(client *kgo.Client, admin *kadm.Client)) {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.network.Dial), kgo.DisableClientMetrics())
	b.must(err)
	defer client.Close()
	f(client, kadm.NewClient(client))
}

// produce sends values as they are, one after the other, all with one key and so to one partition.
func (b *bubble) produce(key string, values ...string) {
	b.Helper()
	b.admin(func(client *kgo.Client, _ *kadm.Client) {
		for _, value := range values {
			b.must(client.ProduceSync(context.Background(), &kgo.Record{Topic: "run7.orders", Key: []byte(key), Value: []byte(value)}).FirstErr())
		}
	})
}

// uncommitted counts the records of the topic "orders" that the group has not committed.
func (b *bubble) uncommitted() int64 {
	b.Helper()
	var left int64
	b.admin(func(_ *kgo.Client, admin *kadm.Client) {
		ends, err := admin.ListEndOffsets(context.Background(), "run7.orders")
		b.must(err)
		commits, err := admin.FetchOffsets(context.Background(), "run7.test")
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			b.Fatal(err)
		}
		ends.Each(func(end kadm.ListedOffset) {
			at := int64(0)
			if commit, ok := commits.Lookup(end.Topic, end.Partition); ok {
				at = max(at, commit.At)
			}
			left += end.Offset - at
		})
	})
	return left
}

// named are the ended spans of a name.
func (b *bubble) named(name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(b.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

// attribute is the text of one attribute of a span.
func attributeOf(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}

// lockedBuffer is a log that a test reads while others write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a record.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are those with a text in them.
func (l *lockedBuffer) lines(with string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(strings.Split(l.text.String(), "\n"), func(line string) bool { return !strings.Contains(line, with) })
}

// handled notes the events that a handler gets.
type handled struct {
	mu  sync.Mutex
	ids []string
}

func (h *handled) add(event *orderpb.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids = append(h.ids, event.GetOrder().GetId())
}

func (h *handled) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(slices.Values(h.ids))
}
