package readback

import (
	"context"
	"errors"
	"maps"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/poll"
)

// collect notes what a collection of the metrics has.
func (r *Reader) collect(whole bool) {
	if !whole {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collected = maps.Clone(r.after)
}

// Exported commits what the last collection has: call it when that collection has been taken by whoever keeps the metrics. The first time it commits the
// places where the group began, too: the next reader begins there, though nothing came.
func (r *Reader) Exported(ctx context.Context) {
	r.mu.Lock()
	r.mark(r.collected)
	begins := r.offsets(r.collected, func(partition int32, after int64) bool { return r.first[partition] && after == r.from[partition] })
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	var failed error
	if len(begins[r.config.Topic]) > 0 {
		r.client.CommitOffsetsSync(ctx, begins, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
			failed = err
		})
		r.mu.Lock()
		maps.DeleteFunc(r.first, func(partition int32, _ bool) bool {
			_, done := begins[r.config.Topic][partition]
			return failed == nil && done
		})
		r.mu.Unlock()
	}
	if err := errors.Join(failed, r.client.CommitMarkedOffsets(ctx)); err != nil {
		r.say("what was counted and sent cannot be committed; trying again", err)
	}
}

// handOn exports and commits what was counted of partitions that go to other readers, and forgets them.
func (r *Reader) handOn(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	r.exportGone(ctx, gone[r.config.Topic])
	r.markGone(gone[r.config.Topic])
	if err := client.CommitMarkedOffsets(ctx); err != nil {
		r.say("what was counted of a partition that goes cannot be committed", err)
	}
	r.forget(gone)
}

// exportGone exports what was counted before partitions go.
func (r *Reader) exportGone(ctx context.Context, partitions []int32) {
	r.mu.Lock()
	flush := r.config.Flush
	if r.closing {
		flush = nil
	}
	r.mu.Unlock()
	if flush == nil || len(partitions) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := flush(ctx); err != nil {
		r.say("what was counted of a partition that goes is not exported yet", err)
	}
}

// lose gives up partitions that the client takes for lost. It does so whenever Kafka is away for a second or two; the group still has this reader for its
// member then, and waits for it before it gives its partitions to others: what was counted is committed as soon as Kafka is back. Once the group has
// dropped this reader it refuses the commit.
func (r *Reader) lose(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	r.exportGone(ctx, gone[r.config.Topic])
	err := poll.Until(r.reading, commitInterval, func(context.Context) error {
		r.markGone(gone[r.config.Topic])
		committing, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		err := client.CommitMarkedOffsets(committing)
		if refused, ok := errors.AsType[*kerr.Error](err); ok && !refused.Retriable && !errors.Is(err, kerr.RebalanceInProgress) {
			return poll.Stop(err)
		}
		return err
	})
	if err != nil {
		r.say("what was counted of a partition that is lost cannot be committed: another watcher may count it again", err)
	}
	r.forget(gone)
}

// markGone marks for a commit all that was counted of partitions that go to other readers: this one lives on, and sends it with the next export.
func (r *Reader) markGone(partitions []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing {
		return
	}
	counted := map[int32]int64{}
	for _, partition := range partitions {
		if after, ok := r.after[partition]; ok {
			counted[partition] = after
		}
	}
	r.mark(counted)
}

// mark marks offsets for a commit, but none up to the last commit. The lock is held.
func (r *Reader) mark(counted map[int32]int64) {
	r.client.MarkCommitOffsets(r.offsets(counted, func(partition int32, after int64) bool { return after > r.from[partition] }))
}

// offsets returns those of the given offsets that are wanted, as the client takes them. The lock is held.
func (r *Reader) offsets(of map[int32]int64, want func(partition int32, after int64) bool) map[string]map[int32]kgo.EpochOffset {
	offsets := map[int32]kgo.EpochOffset{}
	for partition, after := range of {
		if want(partition, after) {
			offsets[partition] = kgo.EpochOffset{Epoch: -1, Offset: after}
		}
	}
	return map[string]map[int32]kgo.EpochOffset{r.config.Topic: offsets}
}
