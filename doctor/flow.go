package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/services"
	"tracelab/services/flows"
)

// batchBytes is the maximum of a batch of records, decompressed.
const batchBytes = 1 << 20

// ends returns the end offsets of the flow's topics.
func (k *kafkaPart) ends(ctx context.Context) (kadm.ListedOffsets, error) {
	listed, err := k.admin.ListEndOffsets(ctx, k.prefixed(k.flow.Topics())...)
	if err != nil || listed.Error() != nil {
		return nil, brokenHop("look at the log of Kafka", "the ends of the topics: %s", errors.Join(err, listed.Error()).Error())
	}
	return listed, nil
}

// stuck says where an unfinished order has stopped, by the records of it that were published since the offsets from: at the
// first group that has not committed its record, or the first service that committed it and published nothing.
func (k *kafkaPart) stuck(ctx context.Context, o *placed, state services.State, from kadm.ListedOffsets) error {
	records, err := k.recordsOf(ctx, o.id, from)
	if err != nil {
		return brokenHop("look at the log of Kafka", "order %s is pending; its records: %s", o.id, err.Error())
	}
	plan, err := planOf(k.flow, o.form)
	if err != nil {
		return err
	}
	before := k.flow.Entry().Service()
	for _, hop := range plan.Hops {
		if hop.By != flows.KafkaLog {
			continue
		}
		want := 1
		if hop.Join {
			want = len(hop.After)
		}
		topic, group := k.prefix+hop.Topic, hop.Step.Service()
		found := records[topic]
		if len(found) < want {
			return brokenHop(fmt.Sprintf("check the log of %s: it handled the order, but could not publish or commit", before),
				"order %s stops behind %s: %d of %d records of it are on %s", o.id, before, len(found), want, topic)
		}
		for _, r := range found {
			committed, err := k.committed(ctx, group, r)
			if err != nil {
				return brokenHop("look at the log of Kafka", "order %s is pending; the offsets of group %s%s: %s", o.id, k.prefix, group, err.Error())
			}
			if committed <= r.Offset {
				return brokenHop(fmt.Sprintf("check the log of %s: it is a member of its group, but does not finish this record", group),
					"order %s stops before %s: its record is at offset %d of %s/%d, group %s%s has committed up to %d",
					o.id, hop.Step, r.Offset, topic, r.Partition, k.prefix, group, committed)
			}
		}
		before = group
	}
	return brokenHop("look at the log of orders", "order %s is %s although all its records are handled; done: %s", o.id, state.Status, doneSteps(state))
}

// committed returns the offset up to which a group has finished a record's partition; 0 when it has committed nothing.
func (k *kafkaPart) committed(ctx context.Context, group string, r *kgo.Record) (int64, error) {
	offsets, err := k.admin.FetchOffsets(ctx, k.prefix+group)
	if err != nil {
		return 0, err
	}
	at, ok := offsets.Lookup(r.Topic, r.Partition)
	if !ok || at.Err != nil {
		return 0, at.Err
	}
	return max(0, at.At), nil
}

// recordsOf reads the topics of the flow from the given offsets to their ends, and returns the records of one order, by
// topic. It joins no group and commits nothing, and goes on behind batches of others that nobody can read.
func (k *kafkaPart) recordsOf(ctx context.Context, id string, from kadm.ListedOffsets) (map[string][]*kgo.Record, error) {
	start, left, err := k.unread(ctx, from)
	found := map[string][]*kgo.Record{}
	if err != nil || len(left) == 0 {
		return found, err
	}
	guard := batches.NewGuard(batchBytes)
	reader, err := kgo.NewClient(slices.Concat(k.client.Opts(), guard.Options(), []kgo.Opt{kgo.ConsumePartitions(start)})...)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		var failed error
		fetches.EachError(func(topic string, id int32, err error) {
			if bad := guard.Skip(topic, id, err); bad != nil {
				left.read(topic, id, bad.NextOffset)
				return
			}
			failed = errors.Join(failed, err)
		})
		if failed != nil {
			return nil, failed
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == id {
				found[r.Topic] = append(found[r.Topic], r)
			}
			left.read(r.Topic, r.Partition, r.Offset+1)
		})
	}
	for _, records := range found {
		slices.SortFunc(records, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
	}
	return found, nil
}

// unread returns where to begin in the partitions that have records since the given offsets, and where these end.
func (k *kafkaPart) unread(ctx context.Context, from kadm.ListedOffsets) (map[string]map[int32]kgo.Offset, ends, error) {
	now, err := k.admin.ListEndOffsets(ctx, k.prefixed(k.flow.Topics())...)
	if err != nil {
		return nil, nil, err
	}
	start, left := map[string]map[int32]kgo.Offset{}, ends{}
	from.Each(func(o kadm.ListedOffset) {
		if end, ok := now.Lookup(o.Topic, o.Partition); ok && end.Offset > o.Offset {
			if start[o.Topic] == nil {
				start[o.Topic] = map[int32]kgo.Offset{}
			}
			start[o.Topic][o.Partition] = kgo.NewOffset().At(o.Offset)
			left[partition{o.Topic, o.Partition}] = end.Offset
		}
	})
	return start, left, nil
}

// ends are those of the partitions that are not read to their ends yet.
type ends map[partition]int64

type partition struct {
	topic string
	id    int32
}

// read notes that a partition was read up to, but not including, an offset.
func (e ends) read(topic string, id int32, next int64) {
	if p := (partition{topic, id}); next >= e[p] {
		delete(e, p)
	}
}
