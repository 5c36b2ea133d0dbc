package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/services/internal/carrier"
)

// replies read topics of which this instance gets every message, however many others the service has: under a group of its own, which commits
// nothing and is gone with it. Those that were sent before it came are not for it.
type replies struct {
	client *kgo.Client
	guard  *batches.Guard
	spans  spans
}

// openReplies begins to read the configuration's own topics. Nil when there are none.
func (k *Broker) openReplies() (*replies, error) {
	own := k.config.Own
	if len(own.Topics) == 0 {
		return nil, nil
	}
	spans, err := newSpans(k.config)
	if err != nil {
		return nil, err
	}
	guard := batches.NewGuard(batchBytes)
	client, err := kgo.NewClient(append(guard.Options(), kgo.WithContext(k.life), kgo.SeedBrokers(k.config.Addresses...), kgo.ClientID(k.config.Service), kgo.Dialer(k.config.Dial),
		kgo.WithHooks(spans.hooks()...), kgo.ConsumerGroup(k.config.Prefix+own.Group), kgo.ConsumeTopics(k.topics(own.Topics)...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtEnd()), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(SessionTimeout), kgo.HeartbeatInterval(SessionTimeout/3), kgo.FetchMaxWait(fetchWait), kgo.MetadataMinAge(metadataMinAge),
		kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), kgo.BrokerMaxReadBytes(answerBytes),
		kgo.RetryBackoffFn(func(failures int) time.Duration { return min(mostBackoff, 10*time.Millisecond<<min(failures, 10)) }),
		kgo.DisableClientMetrics())...)
	if err != nil {
		return nil, fmt.Errorf("kafka client of %s: %w", own.Group, err)
	}
	return &replies{client, guard, spans}, nil
}

// read hands on what is wanted here until polling ends.
func (k *Broker) read(ctx context.Context, r *replies) {
	for ctx.Err() == nil {
		fetches := r.client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) { k.fetchFailed(ctx, r.guard, topic, partition, err) })
		fetches.EachRecord(func(record *kgo.Record) {
			if k.config.Own.Wanted(string(record.Key)) {
				k.reply(ctx, r, record)
			}
		})
	}
}

// reply handles one message, once.
func (k *Broker) reply(ctx context.Context, r *replies, record *kgo.Record) {
	ctx, end := r.spans.process(context.WithoutCancel(ctx), record)
	event, err := carrier.DecodeEvent(record.Value)
	if err == nil {
		err = k.config.Handle(ctx, k.plainTopic(record.Topic), event)
	}
	end(err)
}

// close leaves the group.
func (r *replies) close(ctx context.Context) {
	if r == nil {
		return
	}
	_ = r.client.LeaveGroupContext(ctx) // its session ends by itself
	r.client.Close()
}
