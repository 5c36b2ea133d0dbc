package carrier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/encoding/protojson"

	"tracelab/internal/telemetry"
	"tracelab/otelkgo"
	"tracelab/services/internal/orderpb"
)

const (
	partitions     = 8                      // of every topic
	commitInterval = 100 * time.Millisecond // between commits of what has been finished
	dialTimeout    = 3 * time.Second        // for the first answer of the broker
	obedience      = 100 * time.Millisecond // that work has to end when its client is closed
)

// ErrUnfinished marks a message whose work could not be handed on: it is not committed, so it comes again.
var ErrUnfinished = errors.New("message not finished")

// KafkaConfig says how a service takes part in the messages of a lab.
type KafkaConfig struct {
	Service   string
	Addresses []string // host:port of the brokers
	Prefix    string   // of topics and groups on a broker that others use too
	Topics    []string // without prefix; made when they are missing
	Consume   []string // of the topics, as the group of the service; none: no consumer
	Workers   int      // records worked on at the same time, one at a time for each key
	Network   Network
	Provider  *telemetry.Provider
	Relation  func(ctx context.Context) otelkgo.Relation // of a message, whose baggage the context has
	Kotel     bool                                       // let kotel make the spans, as it is shipped; then Relation is not asked
	// Handle does what a message asks for. Its error ends the process span; when it is ErrUnfinished the message is
	// not committed.
	Handle func(ctx context.Context, topic string, event *orderpb.Event) error
}

// Kafka is a service's connection to the broker: it publishes, and consumes as one group.
type Kafka struct {
	config  KafkaConfig
	client  *kgo.Client
	spans   kafkaSpans
	wait    messageWait
	log     *slog.Logger
	windows windows
	joined  atomic.Bool
	skipped atomic.Int64

	keys    keyed
	stop    context.CancelFunc // ends polling
	workers sync.WaitGroup     // the poll loop and the commit loop
	trouble rate.Sometimes     // to log that the broker does not answer: it is tried again several times a second
	commits sync.Mutex         // one commit after another, or an older one could overtake a newer one
	life    context.Context    // of the client and its connections: ends with the patience of whoever opens or closes it
	kill    context.CancelFunc
}

// OpenKafka connects, makes the topics that are missing, and begins to consume.
func OpenKafka(ctx context.Context, config KafkaConfig) (*Kafka, error) {
	k := &Kafka{config: config, log: config.Provider.Log, trouble: rate.Sometimes{First: 1, Interval: 10 * time.Second}}
	k.keys = newKeyed(config.Workers)
	var err error
	if k.spans, err = newKafkaSpans(config); err != nil {
		return nil, err
	}
	if k.wait, err = newMessageWait(config); err != nil {
		return nil, err
	}
	k.life, k.kill = context.WithCancel(context.WithoutCancel(ctx))
	if k.client, err = kgo.NewClient(k.options()...); err != nil {
		k.kill()
		return nil, fmt.Errorf("kafka client of %s: %w", config.Service, err)
	}
	polling, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	if err := k.prepare(ctx); err != nil {
		k.Close(ctx)
		return nil, err
	}
	if len(config.Consume) > 0 {
		k.workers.Go(func() { k.poll(polling) })
		k.workers.Go(func() { k.commit(polling) })
	}
	return k, nil
}

// options are the client's settings, each with its reason.
func (k *Kafka) options() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.WithContext(k.life),
		kgo.SeedBrokers(k.config.Addresses...),
		kgo.ClientID(k.config.Service),
		kgo.Dialer(k.config.Network.Dial),
		kgo.WithHooks(k.spans.hooks()...),
		kgo.RequiredAcks(kgo.AllISRAcks()),                // 202 means that the broker has it
		kgo.ProducerLinger(0),                             // one order, one record: waiting for company costs 10 ms a hop
		kgo.ProducerBatchCompression(kgo.NoCompression()), // records of 200 bytes
		kgo.MetadataMinAge(250 * time.Millisecond),        // a new leader is found in a quarter of a second, not in five
		kgo.DisableClientMetrics(),
	}
	if len(k.config.Consume) == 0 {
		return opts
	}
	return append(opts,
		kgo.ConsumerGroup(k.config.Prefix+k.config.Service),
		kgo.ConsumeTopics(k.topics(k.config.Consume)...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), // a group that is new has missed nothing
		kgo.DisableAutoCommit(),                           // commits follow the work, not the poll
		kgo.SessionTimeout(6*time.Second),                 // what a killed service held goes on after that, not after 45 s; brokers take no less
		kgo.HeartbeatInterval(2*time.Second),
		kgo.FetchMaxWait(250*time.Millisecond), // a fetch that began before a partition was there keeps its records back that long
		kgo.OnPartitionsAssigned(func(_ context.Context, client *kgo.Client, assigned map[string][]int32) {
			k.spans.assigned(client, assigned)
			k.joined.Store(true)
		}),
		kgo.OnPartitionsRevoked(k.revoked),
		kgo.OnPartitionsLost(func(_ context.Context, client *kgo.Client, lost map[string][]int32) {
			k.spans.lost(client, lost)
			k.windows.drop(lost)
		}),
	)
}

// Publish sends an event, keyed by its order, and returns when the broker has acknowledged it. The message does not
// depend on the context's deadline: when that passes first the error says that the outcome is open.
func (k *Kafka) Publish(ctx context.Context, topic string, event *orderpb.Event) error {
	value, err := protojson.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode event for %s: %w", topic, err)
	}
	acknowledged := make(chan error, 1)
	record := &kgo.Record{Topic: k.config.Prefix + topic, Key: []byte(event.GetOrder().GetId()), Value: value,
		Headers: []kgo.RecordHeader{{Key: "content-type", Value: []byte("application/json")}}}
	k.client.Produce(context.WithoutCancel(ctx), record, func(_ *kgo.Record, err error) { acknowledged <- err })
	select {
	case err := <-acknowledged:
		if err != nil {
			return Fail("", Unavailable, fmt.Sprintf("broker did not take the message for %s: %v", topic, err))
		}
		return nil
	case <-ctx.Done():
		return Fail("", Unavailable, fmt.Sprintf("broker has not acknowledged the message for %s yet", topic))
	}
}

// Drain takes no more records, finishes those that it has, and commits them. Publishing still works.
func (k *Kafka) Drain(ctx context.Context) error {
	k.stop()
	k.workers.Wait()
	err := k.keys.wait(ctx)
	if err != nil {
		err = fmt.Errorf("%s: messages still in work; they will come again: %w", k.config.Service, err)
	}
	if commit := k.commitFinished(ctx); commit != nil {
		err = errors.Join(err, fmt.Errorf("%s: finished messages are not committed; they will come again: %w", k.config.Service, commit))
	}
	return err
}

// Close leaves the group and ends the connection, waiting for the broker's consent no longer than the context allows.
// Messages without an acknowledgement are given up, and so is the work that Drain could not wait for.
func (k *Kafka) Close(ctx context.Context) {
	k.stop()
	defer context.AfterFunc(ctx, k.kill)()
	k.client.AllowRebalance()
	// The client's own Close would wait for a broker that is away for as long as it tries again.
	_ = k.client.LeaveGroupContext(ctx)
	k.client.Close()
	k.workers.Wait()
	k.kill()
	// Work that waited for an acknowledgement ends now, and its spans have to end before their provider is shut down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), obedience)
	defer cancel()
	_ = k.keys.wait(ctx)
}

func (k *Kafka) topics(plain []string) []string { return prefixed(k.config.Prefix, plain) }

func prefixed(prefix string, plain []string) []string {
	named := make([]string, len(plain))
	for i, name := range plain {
		named[i] = prefix + name
	}
	return named
}

func (k *Kafka) plainTopic(topic string) string { return strings.TrimPrefix(topic, k.config.Prefix) }
