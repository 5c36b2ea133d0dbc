package carrier

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"

	"tracelab/services/internal/orderpb"
)

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
				k.trouble.Do(func() {
					k.log.Warn("kafka fetch failed; trying again", "topic", topic, "partition", partition, "error", err)
				})
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
	labels := k.config.Provider.Labels
	ctx = labels.Order(ctx, baggageOf(r)...)
	defer labels.Service() // after the span's end
	ctx, end := k.spans.process(ctx, r)
	k.wait.record(ctx, r, k.plainTopic(r.Topic))
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

// baggageOf lists a record's baggage headers.
func baggageOf(r *kgo.Record) []string {
	var values []string
	for _, h := range r.Headers {
		if h.Key == "baggage" {
			values = append(values, string(h.Value))
		}
	}
	return values
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
				k.trouble.Do(func() { k.log.Warn("commit failed; trying again with the next one", "error", err) })
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
func (k *Kafka) revoked(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	k.windows.wait(ctx, gone)
	if err := k.commitFinished(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("commit of partitions that go elsewhere failed; their messages come again", "error", err)
	}
	k.spans.lost(client, gone) // what could not end in time
	k.windows.drop(gone)
}
