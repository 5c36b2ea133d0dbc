package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"

	"tracelab/otelkgo"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/telemetry"
)

const (
	partitions     = 8                      // of every topic
	commitInterval = 100 * time.Millisecond // between commits of what has been finished
	dialTimeout    = 3 * time.Second        // for the first answer of the broker
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
	log     *slog.Logger
	windows windows
	joined  atomic.Bool
	skipped atomic.Int64

	keys    keyed
	stop    context.CancelFunc // ends polling
	workers sync.WaitGroup     // the poll loop and the commit loop
	commits sync.Mutex         // one commit after another, or an older one could overtake a newer one
	leaving context.Context    // of what the group waits for when it gives partitions up; ends with the patience of Close
	hurry   context.CancelFunc
}

// OpenKafka connects, makes the topics that are missing, and begins to consume.
func OpenKafka(ctx context.Context, config KafkaConfig) (*Kafka, error) {
	k := &Kafka{config: config, log: config.Provider.Log}
	k.keys = newKeyed(config.Workers)
	var err error
	if k.spans, err = newKafkaSpans(config); err != nil {
		return nil, err
	}
	if k.client, err = kgo.NewClient(k.options()...); err != nil {
		return nil, fmt.Errorf("kafka client of %s: %w", config.Service, err)
	}
	polling, stop := context.WithCancel(context.WithoutCancel(ctx))
	k.stop = stop
	k.leaving, k.hurry = context.WithCancel(context.WithoutCancel(ctx))
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
		kgo.FetchMaxWait(time.Second),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { k.joined.Store(true) }),
		kgo.OnPartitionsRevoked(k.revoked),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { k.windows.drop(lost) }),
	)
}

// prepare asks the broker for a sign of life and makes missing topics.
func (k *Kafka) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := k.client.Ping(ctx); err != nil {
		return fmt.Errorf("kafka broker %s cannot be reached: start it (task kafka), or name another with --kafka: %w",
			strings.Join(k.config.Addresses, ","), err)
	}
	retention := map[string]*string{"retention.bytes": new("16777216"), "segment.bytes": new("4194304")}
	topics := k.topics(k.config.Topics)
	answers, err := kadm.NewClient(k.client).CreateTopics(ctx, partitions, -1, retention, topics...)
	if err != nil {
		return fmt.Errorf("create topics %s: %w", strings.Join(topics, ", "), err)
	}
	for _, answer := range answers.Sorted() {
		if answer.Err != nil && !errors.Is(answer.Err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", answer.Topic, answer.Err)
		}
	}
	return nil
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

// Ready tells whether the group has its partitions.
func (k *Kafka) Ready() bool { return len(k.config.Consume) == 0 || k.joined.Load() }

// Skipped counts the records that could not be decoded.
func (k *Kafka) Skipped() int64 { return k.skipped.Load() }

// poll hands records to workers, never more than they can take: what is not polled stays with the client.
func (k *Kafka) poll(ctx context.Context) {
	for ctx.Err() == nil {
		room := k.keys.room(ctx)
		if room == 0 {
			return
		}
		fetches := k.spans.poll(ctx, k.client, room)
		fetches.EachError(func(topic string, partition int32, err error) {
			if ctx.Err() == nil && !errors.Is(err, kgo.ErrClientClosed) {
				k.log.Warn("kafka fetch failed; trying again", "topic", topic, "partition", partition, "error", err)
			}
		})
		fetches.EachRecord(func(r *kgo.Record) {
			done := k.windows.open(r)
			k.keys.run(string(r.Key), func() { done(k.handle(context.WithoutCancel(ctx), r)) })
		})
	}
}

// handle does one record under its process span and tells whether it may be committed.
func (k *Kafka) handle(ctx context.Context, r *kgo.Record) bool {
	ctx, end := k.spans.process(ctx, r)
	event, err := decodeEvent(r.Value)
	if err != nil {
		k.skipped.Add(1)
		k.log.ErrorContext(ctx, "record skipped: it cannot be decoded", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
		end(err)
		return true
	}
	err = k.recovered(ctx, k.plainTopic(r.Topic), event)
	end(err)
	return !errors.Is(err, ErrUnfinished)
}

// decodeEvent reads a record's value. An event without an order is of no use to anybody.
func decodeEvent(value []byte) (*orderpb.Event, error) {
	event := &orderpb.Event{}
	if err := protojson.Unmarshal(value, event); err != nil {
		return nil, Fail("", "undecodable", err.Error())
	}
	if event.GetOrder().GetId() == "" {
		return nil, Fail("", "undecodable", "the event names no order")
	}
	return event, nil
}

// recovered handles an event. A panic fails this message, not the process and with it all the others.
func (k *Kafka) recovered(ctx context.Context, topic string, event *orderpb.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			k.log.ErrorContext(ctx, "handler panicked", "panic", p, "stack", string(debug.Stack()))
			err = Fail("", Internal, "the service has a bug; its log says more")
		}
	}()
	return k.config.Handle(ctx, topic, event)
}

// commit commits what is finished, at intervals, until polling ends.
func (k *Kafka) commit(ctx context.Context) {
	ticker := time.NewTicker(commitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := k.commitFinished(ctx); err != nil && ctx.Err() == nil {
				k.log.Warn("commit failed; trying again with the next one", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// commitFinished commits, for each partition, up to the oldest record that is not finished.
func (k *Kafka) commitFinished(ctx context.Context) error {
	k.commits.Lock()
	defer k.commits.Unlock()
	offsets := k.windows.finished()
	if len(offsets) == 0 {
		return nil
	}
	err := k.spans.commit(ctx, k.client, offsets)
	if err != nil { // also when the context has ended: the next commit, the last one perhaps, has them again
		k.windows.uncommit(offsets)
	}
	return err
}

// revoked lets the work on partitions that go elsewhere end, and commits it, before they go.
func (k *Kafka) revoked(ctx context.Context, _ *kgo.Client, gone map[string][]int32) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.leaving, cancel)()
	k.windows.wait(ctx, gone)
	if err := k.commitFinished(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("commit of partitions that go elsewhere failed; their messages come again", "error", err)
	}
	k.windows.drop(gone)
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
	defer context.AfterFunc(ctx, k.hurry)()
	k.client.AllowRebalance()
	// The client's own Close would wait for a broker that is away for as long as it tries again.
	_ = k.client.LeaveGroupContext(ctx)
	k.client.Close()
	k.workers.Wait()
	k.hurry()
	// Work that waited for an acknowledgement ends now, and its spans have to end before their provider is shut down.
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

// RemoveTopics deletes topics and groups, given without their prefix, from a broker. What is not there is no error.
func RemoveTopics(ctx context.Context, network Network, addresses []string, prefix string, topics, groups []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addresses...), kgo.Dialer(network.Dial), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	admin := kadm.NewClient(client)
	deletedTopics, err := admin.DeleteTopics(ctx, prefixed(prefix, topics)...)
	if err != nil {
		return fmt.Errorf("delete the run's topics (prefix %s) from %s: %w", prefix, strings.Join(addresses, ","), err)
	}
	var errs []error
	for _, t := range deletedTopics.Sorted() {
		if t.Err != nil && !errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
			errs = append(errs, fmt.Errorf("delete topic %s: %w", t.Topic, t.Err))
		}
	}
	deletedGroups, err := admin.DeleteGroups(ctx, prefixed(prefix, groups)...)
	if err != nil {
		return fmt.Errorf("delete the run's groups (prefix %s) from %s: %w", prefix, strings.Join(addresses, ","), err)
	}
	for _, g := range deletedGroups.Sorted() {
		if g.Err != nil && !errors.Is(g.Err, kerr.GroupIDNotFound) {
			errs = append(errs, fmt.Errorf("delete group %s: %w", g.Group, g.Err))
		}
	}
	return errors.Join(errs...)
}
