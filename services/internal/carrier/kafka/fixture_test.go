package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/testmain"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// TestMain finds goroutines that a test on the loopback has left. A bubble finds its own.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// bubble is a test with a broker.
type bubble struct {
	*carriertest.Bubble
	cluster *kfake.Cluster
}

// withKafka runs f in virtual time with a broker.
func withKafka(t *testing.T, f func(b *bubble)) {
	t.Helper()
	carriertest.InBubble(t, func(core *carriertest.Bubble) {
		b := &bubble{Bubble: core}
		var err error
		b.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(b.ListenOn))
		b.Must(err)
		defer b.cluster.Close()
		f(b)
	})
}

// open connects a service to the broker; it consumes the topic "orders" when there is a handler. A test closes it.
func (b *bubble) open(handle func(ctx context.Context, topic string, event *orderpb.Event) error) *Broker {
	b.Helper()
	k, err := b.tryOpen(handle)
	b.Must(err)
	for deadline := time.Now().Add(time.Minute); !k.Ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("the group has no partitions after a minute")
		}
	}
	if b.Virtual {
		time.Sleep(300 * time.Millisecond) // fetches that began before all partitions were there have ended
	}
	return k
}

func (b *bubble) tryOpen(handle func(ctx context.Context, topic string, event *orderpb.Event) error) (*Broker, error) {
	config := Config{BrokerConfig: carrier.BrokerConfig{
		Service: "test", Addresses: b.cluster.ListenAddrs(), Prefix: "run7.", Topics: []string{"orders", "answers"}, Workers: 4,
		Dial: b.Dial, Provider: b.Provider, Handle: handle, Relation: both,
	}}
	if handle != nil {
		config.Consume = []string{"orders"}
	}
	return Open(b.Context(), config)
}

func both(context.Context) (parent, link bool) { return true, true }

// drainAndClose ends a connection the way that a service does.
func (b *bubble) drainAndClose(k *Broker) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b.Must(k.Drain(ctx))
	k.Close(ctx)
}

// admin runs f with a client of the broker that no service knows of.
func (b *bubble) admin(f func(client *kgo.Client, admin *kadm.Client)) {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.Dial), kgo.DisableClientMetrics())
	b.Must(err)
	defer client.Close()
	f(client, kadm.NewClient(client))
}

// produce sends values as they are, one after the other, all with one key and so to one partition.
func (b *bubble) produce(key string, values ...string) {
	b.Helper()
	b.admin(func(client *kgo.Client, _ *kadm.Client) {
		for _, value := range values {
			b.Must(client.ProduceSync(context.Background(), &kgo.Record{Topic: "run7.orders", Key: []byte(key), Value: []byte(value)}).FirstErr())
		}
	})
}

// records reads the whole of a topic. The time is virtual; it is more than a client waits before it asks again for what a broker did not tell at once.
func (b *bubble) records(topic string) []*kgo.Record {
	b.Helper()
	return brokertest.Records(b.T, 0, 10*time.Second, kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.Dial), kgo.ConsumeTopics(topic))
}

// uncommitted counts the records of the topic "orders" that the group has not committed.
func (b *bubble) uncommitted() int64 {
	b.Helper()
	var left int64
	b.admin(func(_ *kgo.Client, admin *kadm.Client) {
		ends, err := admin.ListEndOffsets(context.Background(), "run7.orders")
		b.Must(err)
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
