// Package kafka carries messages over a Kafka.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"tracelab/internal/batches"
	"tracelab/otelkgo"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

const (
	commitInterval = 100 * time.Millisecond // between commits of finished records
	soonInterval   = 10 * time.Millisecond  // where somebody asks for the backlog
	dialTimeout    = 3 * time.Second        // for the first answer of the broker
	fetchWait      = 250 * time.Millisecond // for which a fetch that began before a partition existed withholds its records
	mostBackoff    = 250 * time.Millisecond // between attempts to reach a broker that is away: kgo's own grows to 2.5 s
	metadataMinAge = 250 * time.Millisecond // so that a new leader is found in a quarter of a second, not in five
	batchBytes     = 1 << 20                // of one batch, decompressed: a message has at most carrier.MaxBody
	partitionBytes = 256 << 10              // of one partition in a fetch, compressed or not
	fetchBytes     = 4 << 20                // of one fetch
	answerBytes    = 16 << 20               // of any answer of a broker
	logInterval    = 10 * time.Second       // between log lines about a broker that does not answer
	cancelGrace    = 100 * time.Millisecond // for work to end once its client is closed
)

// SessionTimeout is how long a group keeps a member that was killed, until others get its partitions: not 45 s, and brokers refuse less.
const SessionTimeout = 6 * time.Second

// Config says how a service takes part in the messages of a Kafka.
type Config struct {
	carrier.BrokerConfig
	Kotel bool // let kotel make the spans, as it is shipped; Relation is then ignored
}

// Broker is a service's connection to a Kafka: it publishes, and consumes as one group.
type Broker struct {
	config  Config
	client  *kgo.Client
	guard   *batches.Guard // of client
	spans   spans
	log     *slog.Logger
	windows windows
	sending sending
	joined  atomic.Bool

	replies *replies // nil: none are read
	work    *carrier.Consumer
	stop    context.CancelFunc // ends polling
	workers sync.WaitGroup     // the poll loop and the commit loop
	trouble rate.Sometimes     // limits log lines about a broker that does not answer: the client retries several times a second
	// deadTopics are the topics for dead letters that are there.
	deadTopics struct {
		sync.Mutex
		made map[string]bool
	}
	commits sync.Mutex      // held during a commit, or an older one could overtake a newer one
	life    context.Context // of the client and its connections: ends when the context of Open or Close does
	kill    context.CancelFunc
}

// Open connects, makes the topics that are missing, and begins to consume.
func Open(ctx context.Context, config Config) (*Broker, error) {
	k := &Broker{config: config, guard: batches.NewGuard(batchBytes), log: config.Provider.Log, trouble: rate.Sometimes{First: 1, Interval: logInterval}}
	var err error
	if k.spans, err = newSpans(config); err != nil {
		return nil, err
	}
	if k.work, err = carrier.NewConsumer(config.BrokerConfig, k.startBatch); err != nil {
		return nil, err
	}
	k.life, k.kill = context.WithCancel(context.WithoutCancel(ctx))
	polling, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop, k.windows.life, k.windows.counting = stop, polling, config.Bounded
	if k.client, err = kgo.NewClient(k.options()...); err != nil {
		k.kill()
		k.stop()
		return nil, fmt.Errorf("kafka client of %s: %w", config.Service, err)
	}
	if err := k.prepare(ctx); err != nil {
		k.Close(ctx)
		return nil, err
	}
	if k.replies, err = k.openReplies(); err != nil {
		k.Close(ctx)
		return nil, err
	}
	if k.replies != nil {
		k.workers.Go(func() { k.read(polling, k.replies) })
	}
	if len(config.Consume) > 0 {
		k.workers.Go(func() { k.poll(polling) })
		k.workers.Go(func() { k.commit(polling) })
	}
	return k, nil
}

// options returns the client's settings, each with its reason.
func (k *Broker) options() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.WithContext(k.life),
		kgo.SeedBrokers(k.config.Addresses...),
		kgo.ClientID(k.config.Service),
		kgo.Dialer(k.config.Dial),
		kgo.WithHooks(append(k.spans.hooks(), doubled{k.config.Provider.Propagator}, written{k.config.Provider.Headers}, &k.sending)...),
		kgo.RequiredAcks(kgo.AllISRAcks()),                // 202 means that the broker has it
		kgo.ProducerLinger(0),                             // one order, one record: waiting for others costs 10 ms a hop
		kgo.ProducerBatchCompression(kgo.NoCompression()), // records of 200 bytes
		kgo.MetadataMinAge(metadataMinAge),
		kgo.RetryBackoffFn(func(failures int) time.Duration { return min(mostBackoff, 10*time.Millisecond<<min(failures, 10)) }),
		kgo.DisableClientMetrics(),
	}
	if len(k.config.Consume) == 0 {
		return opts
	}
	return append(append(opts, k.guard.Options()...),
		kgo.ConsumerGroup(k.config.Prefix+k.config.Service),
		kgo.ConsumeTopics(k.topics(k.config.Consume)...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), // a new group misses nothing
		kgo.DisableAutoCommit(),                           // commits follow the work, not the poll
		kgo.SessionTimeout(SessionTimeout),
		kgo.HeartbeatInterval(SessionTimeout/3),
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(partitionBytes),
		kgo.BrokerMaxReadBytes(answerBytes),
		kgo.OnPartitionsAssigned(func(_ context.Context, client *kgo.Client, assigned map[string][]int32) {
			k.spans.assigned(client, assigned)
			k.joined.Store(true)
		}),
		kgo.OnPartitionsRevoked(k.revoked),
		kgo.OnPartitionsLost(func(_ context.Context, client *kgo.Client, lost map[string][]int32) {
			k.guard.Forget(lost)
			k.spans.lost(client, lost)
			k.windows.drop(lost)
		}),
	)
}

// Publish sends an event, keyed by its order, and returns when the broker has acknowledged it. When the context ends first,
// the message may still be sent: the error says that the outcome is open.
func (k *Broker) Publish(ctx context.Context, topic string, event *orderpb.Event) error {
	value, err := carrier.EncodeEvent(topic, event)
	if err != nil {
		return err
	}
	acknowledged := make(chan error, 1)
	record := &kgo.Record{Topic: k.config.Prefix + topic, Key: []byte(event.GetOrder().GetId()), Value: value,
		Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte(carrier.ContentType)}}}
	if stored := carrier.StoredHeaders(ctx); stored != nil {
		for _, name := range slices.Sorted(maps.Keys(stored)) {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(stored[name])})
		}
		ctx = otelkgo.KeepCreationContext(ctx)
	}
	k.client.Produce(context.WithoutCancel(ctx), record, func(r *kgo.Record, err error) {
		k.sending.end(r)
		acknowledged <- refusal(err)
	})
	return carrier.AwaitAcknowledgement(ctx, topic, acknowledged)
}

// Drain takes no more records, finishes those that it has, and commits them. Publishing still works.
func (k *Broker) Drain(ctx context.Context) error {
	k.stop()
	k.workers.Wait()
	err := k.work.Wait(ctx)
	if err != nil {
		err = fmt.Errorf("%s: messages still in work; they will come again: %w", k.config.Service, err)
	}
	if commit := k.commitFinished(ctx); commit != nil {
		err = errors.Join(err, fmt.Errorf("%s: finished messages are not committed; they will come again: %w", k.config.Service, commit))
	}
	return err
}

// Close leaves the group and ends the connection, and waits for the broker no longer than the context allows. It gives up
// messages without an acknowledgement, and the work that Drain left unfinished.
func (k *Broker) Close(ctx context.Context) {
	k.stop()
	defer context.AfterFunc(ctx, k.kill)()
	k.client.AllowRebalance()
	k.replies.close(ctx)
	// The client's own Close would wait for a broker that is away until its retries end.
	_ = k.client.LeaveGroupContext(ctx)
	k.client.Close()
	k.workers.Wait()
	k.kill()
	// Work that waits for an acknowledgement ends now. Its spans must end before their provider is shut down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
	defer cancel()
	_ = k.work.Wait(ctx)
	k.sending.abandon()
}

func (k *Broker) topics(plain []string) []string { return prefixed(k.config.Prefix, plain) }

func prefixed(prefix string, plain []string) []string {
	named := make([]string, len(plain))
	for i, name := range plain {
		named[i] = prefix + name
	}
	return named
}

func (k *Broker) plainTopic(topic string) string { return strings.TrimPrefix(topic, k.config.Prefix) }
