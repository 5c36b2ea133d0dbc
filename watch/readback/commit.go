package readback

import (
	"context"
	"errors"
	"maps"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/offsets"
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
// places where the group began, too: the next reader begins there, though nothing came. What cannot be committed now is tried again until it is.
func (r *Reader) Exported(ctx context.Context) {
	r.mu.Lock()
	r.owe(r.collected)
	r.mu.Unlock()
	r.commit(ctx)
}

// owe notes offsets that are to be committed, but for those that are. The lock is held.
func (r *Reader) owe(counted map[int32]int64) {
	for partition, after := range counted {
		if after > r.from[partition] || r.first[partition] && after == r.from[partition] {
			r.owed[partition] = max(r.owed[partition], after)
		}
	}
}

// commit commits what is owed, if anything is.
func (r *Reader) commit(ctx context.Context) {
	if err := r.commitOwed(ctx, r.client); err != nil && ctx.Err() == nil {
		r.say("what was counted and sent cannot be committed; trying again", err)
	}
}

// commitOwed commits what is owed. The reader commits by itself: a client that commits by marks takes an offset that is set, to go on behind a damaged batch, for
// a mark, and would commit what was counted before and not exported.
func (r *Reader) commitOwed(ctx context.Context, client *kgo.Client) error {
	r.commits.Lock()
	defer r.commits.Unlock()
	r.mu.Lock()
	owed := maps.Clone(r.owed)
	r.mu.Unlock()
	if len(owed) == 0 {
		return nil
	}
	to := map[int32]kgo.EpochOffset{}
	for partition, after := range owed {
		to[partition] = kgo.EpochOffset{Epoch: -1, Offset: after}
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	var failed error
	client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{r.config.Topic: to}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		failed = errors.Join(err, offsets.Refusals(answer))
	})
	if failed != nil {
		return failed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition, after := range owed {
		delete(r.first, partition)
		r.from[partition] = max(r.from[partition], after)
		if r.owed[partition] == after {
			delete(r.owed, partition)
		}
	}
	return nil
}

// handOn exports and commits what was counted of partitions that go to other readers, and forgets them.
func (r *Reader) handOn(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
	r.exportGone(ctx, gone[r.config.Topic])
	r.oweGone(gone[r.config.Topic])
	if err := r.commitOwed(ctx, client); err != nil {
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
		r.oweGone(gone[r.config.Topic])
		err := r.commitOwed(ctx, client)
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

// oweGone owes all that was counted of partitions that go to other readers: this one lives on, and sends it with the next export.
func (r *Reader) oweGone(partitions []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counted := map[int32]int64{}
	for _, partition := range partitions {
		if after, ok := r.after[partition]; ok && !r.closing {
			counted[partition] = after
		}
	}
	r.owe(counted)
}
