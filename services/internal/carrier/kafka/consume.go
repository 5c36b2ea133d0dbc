package kafka

import (
	"context"
	"errors"
	"time"

	"tracelab/internal/batches"
	"tracelab/services/internal/carrier"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Ready reports whether the group has its partitions.
func (k *Broker) Ready() bool { return len(k.config.Consume) == 0 || k.joined.Load() }

// Skipped counts the records that could not be decoded.
func (k *Broker) Skipped() int64 { return k.work.Skipped() }

// Dead counts the records that were put with the dead letters.
func (k *Broker) Dead() int64 { return k.work.Dead() }

// Held is how many records were taken and are not done with.
func (k *Broker) Held() int { return k.work.Held() }

// poll passes records to workers, never more than they can take: the client keeps what is not polled.
func (k *Broker) poll(ctx context.Context) {
	for ctx.Err() == nil {
		room := k.work.Room(ctx)
		if room == 0 {
			return
		}
		fetches := k.spans.poll(ctx, k.client, room)
		fetches.EachError(func(topic string, partition int32, err error) {
			if last := k.fetchFailed(ctx, k.guard, topic, partition, err); last != nil {
				k.windows.open(last).ended(true)
			}
		})
		records := make([]taken, 0, fetches.NumRecords())
		fetches.EachRecord(func(r *kgo.Record) { records = append(records, k.windows.open(r)) }) // at once: rebalances wait for nobody
		for _, t := range records {
			k.deliver(ctx, t)
		}
	}
}

// fetchFailed skips a batch that is larger than a service takes, or damaged, and returns the place of its last record. The client retries after all other errors.
func (k *Broker) fetchFailed(ctx context.Context, guard *batches.Guard, topic string, partition int32, err error) (last *kgo.Record) {
	if bad := guard.Skip(topic, partition, err); bad != nil {
		k.work.Skip()
		k.log.Error("messages skipped: their batch is damaged, or decompresses to more than a service takes", "topic", topic, "partition", partition,
			"offset", bad.Offset, "next_offset", bad.NextOffset, "limit_bytes", batchBytes)
		return &kgo.Record{Topic: topic, Partition: partition, Offset: bad.NextOffset - 1, LeaderEpoch: bad.Epoch}
	}
	if ctx.Err() == nil && !errors.Is(err, kgo.ErrClientClosed) {
		k.trouble.Do(func() {
			k.log.Warn("kafka fetch failed; trying again", "topic", topic, "partition", partition, "error", err)
		})
	}
	return nil
}

// deliver passes a record to the workers. One that comes when its partition is leaving is for whoever gets that: one before it may be, too.
func (k *Broker) deliver(ctx context.Context, t taken) {
	if t.leaving.Err() != nil {
		t.ended(false)
		return
	}
	d := k.delivery(t.leaving, t.record)
	if k.deliverInBatch(ctx, d, t.ended) {
		return
	}
	k.work.Take(context.WithoutCancel(ctx), d, func(o carrier.Outcome) { t.ended(o == carrier.Finished) })
}

// delivery is a record as the workers take it.
func (k *Broker) delivery(leaving context.Context, r *kgo.Record) carrier.Delivery {
	return carrier.Delivery{
		Topic: k.plainTopic(r.Topic), Key: string(r.Key), Value: r.Value, Sent: r.Timestamp, Baggage: baggageOf(r), Message: r,
		Process: func(ctx context.Context) (context.Context, func(error)) {
			ctx, end := k.spans.process(ctx, r)
			k.recorded(ctx, r)
			return ctx, end
		},
		Where:   func() []any { return []any{"topic", r.Topic, "partition", r.Partition, "offset", r.Offset} },
		History: carrier.HistoryOf(func(name string) string { return headerOf(r, name) }), Leaving: leaving,
		DeadLetter: func(ctx context.Context, death carrier.Death) error { return k.deadLetter(ctx, r, death) },
	}
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

// commit commits what is finished, at intervals, until polling ends.
func (k *Broker) commit(ctx context.Context) {
	interval := commitInterval
	if k.config.Bounded {
		interval = soonInterval
	}
	ticker := time.NewTicker(interval)
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
func (k *Broker) commitFinished(ctx context.Context) error {
	k.commits.Lock()
	defer k.commits.Unlock()
	offsets := k.windows.finished()
	if len(offsets) == 0 {
		return nil
	}
	err := k.spans.commit(k.counting(ctx, offsets), k.client, offsets)
	if err != nil { // also when the context has ended: the next commit, perhaps the last one, includes them
		k.windows.uncommit(offsets)
	}
	return err
}

// revoked waits for the work on revoked partitions, and commits it, before another member gets them.
func (k *Broker) revoked(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	k.guard.Forget(gone)
	k.windows.leave(gone)
	k.windows.wait(ctx, gone)
	if err := k.commitFinished(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("commit of revoked partitions failed; their messages will be delivered again", "error", err)
	}
	k.spans.lost(client, gone) // ends spans whose work did not end in time
	k.windows.drop(gone)
}
