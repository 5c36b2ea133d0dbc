package otelkgo

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrPartitionLost says that the partition of a record was lost between its
// poll and the end of its processing. Its error.type is partition_lost.
var ErrPartitionLost error = typedError{"partition_lost", "the partition was lost: another member of the group gets the record"}

// OnPartitionsLost marks partitions as lost: process spans that are open on
// them end with partition_lost, and CommitOffsets leaves them out. Pass it to
// kgo.OnPartitionsLost. Call it at the end of OnPartitionsRevoked, too, when
// the work on these partitions could not be finished in time.
func (in *Instrumentation) OnPartitionsLost(_ context.Context, cl *kgo.Client, lost map[string][]int32) {
	in.eachPartition(cl, lost, (*partitionState).lose)
}

// OnPartitionsAssigned removes the mark that OnPartitionsLost sets. Pass it to
// kgo.OnPartitionsAssigned wherever you use OnPartitionsLost.
func (in *Instrumentation) OnPartitionsAssigned(_ context.Context, cl *kgo.Client, assigned map[string][]int32) {
	in.eachPartition(cl, assigned, (*partitionState).own)
}

func (in *Instrumentation) eachPartition(cl *kgo.Client, partitions map[string][]int32, do func(*partitionState)) {
	if cl == nil {
		return
	}
	cs := in.usable().client(cl)
	for topic, ps := range partitions {
		for _, p := range ps {
			if state := cs.topic(topic).partition(p); state != nil {
				do(state)
			}
		}
	}
}

// withoutLost splits offsets into those of owned and of lost partitions.
func (cs *clientState) withoutLost(offsets map[string]map[int32]kgo.EpochOffset) (owned map[string]map[int32]kgo.EpochOffset, lost map[string][]int32) {
	owned = offsets
	for topic, partitions := range offsets {
		for p := range partitions {
			if ps := cs.topic(topic).partition(p); ps == nil || !ps.isLost() {
				continue
			}
			if lost == nil {
				lost = map[string][]int32{}
				owned = map[string]map[int32]kgo.EpochOffset{}
				for t, ps := range offsets {
					owned[t] = maps.Clone(ps)
				}
			}
			lost[topic] = append(lost[topic], p)
			if delete(owned[topic], p); len(owned[topic]) == 0 {
				delete(owned, topic)
			}
		}
	}
	return owned, lost
}

// EndTransaction ends a transaction of a group session with a commit span for
// each topic whose offsets it commits: roots of their own, as for CommitOffsets.
// An aborted transaction settles nothing. If it was to commit, because the
// group rebalanced or an error came up, its spans end with that error or with
// transaction_aborted.
//
// Poll with the session's client: in.PollFetches(ctx, session.Client()).
func (in *Instrumentation) EndTransaction(ctx context.Context, session *kgo.GroupTransactSession, commit kgo.TransactionEndTry) (committed bool, err error) {
	if session == nil {
		return false, errNil
	}
	in, ctx = in.usable(), isolated(orBackground(ctx))
	cs := in.client(session.Client())
	var offsets map[string]map[int32]kgo.EpochOffset
	if commit == kgo.TryCommit {
		offsets = session.Client().UncommittedOffsets()
	}
	start := time.Now()
	committed, err = session.End(ctx, commit)
	end := time.Now()
	failure := err
	if failure == nil && !committed {
		failure = errAborted
	}
	for _, topic := range slices.Sorted(maps.Keys(offsets)) {
		in.committed(ctx, cs.topic(topic), offsets[topic], start, end, failure)
	}
	return committed, err
}
