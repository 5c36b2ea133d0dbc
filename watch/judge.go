package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/internal/offsets"
	"tracelab/journey"
	"tracelab/watch/actor"
	"tracelab/watch/record"
	"tracelab/watch/summary"
)

// openWork joins the consumer group of the work topic.
func (w *watcher) openWork(life context.Context) error {
	return w.open(life, &w.work, w.preparePartition)
}

// preparePartition creates the actors of a partition, and tells them which roots have been judged before.
func (w *watcher) preparePartition(ctx context.Context, id int32, committed int64) (*place, error) {
	actors := actor.New(actor.Config{
		Quiet: w.config.Quiet, Window: w.config.Window, Causes: w.config.Causes, TraceSpans: w.config.TraceSpans,
		MaxBytes: max(1, w.config.MaxBytes/int64(w.config.Partitions)),
	})
	since, err := w.readBackSince(ctx, id, committed)
	if err == nil {
		err = w.readBack(ctx, id, since, func(root journey.TraceID) { actors.Done(root) })
	}
	if err != nil {
		return nil, fmt.Errorf("read back which journeys are judged: %w", err)
	}
	return &place{actors: actors}, nil
}

// readBackSince returns the time from which summaries must be read back: twice the window before the first record to read, or before the partition's
// newest summary if that is older, since the group may have been away for hours. A damaged summary has no time.
func (w *watcher) readBackSince(ctx context.Context, id int32, committed int64) (time.Time, error) {
	since := time.Now()
	newest, err := w.work.admin.ListMaxTimestampOffsets(ctx, w.config.Journeys)
	if err != nil {
		return since, err
	}
	switch at, ok := newest.Lookup(w.config.Journeys, id); {
	case at.Err != nil && !offsets.IsDamage(at.Err):
		return since, at.Err
	case ok && at.Err == nil && at.Timestamp > 0:
		since = earlier(since, time.UnixMilli(at.Timestamp))
	}
	ends, err := w.work.admin.ListEndOffsets(ctx, w.config.workTopic())
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return since, err
	}
	if end, ok := ends.Lookup(w.config.workTopic(), id); ok && committed < end.Offset {
		err = w.readPartition(ctx, w.config.workTopic(), id, committed, committed+1, func(r *kgo.Record) { since = earlier(since, r.Timestamp) })
	}
	return since.Add(-2 * w.config.Window), err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// clocks is by how much the clocks of watchers may differ, at the most.
const clocks = time.Hour

// readBack calls done for the root of each summary of a partition that was written since a time.
func (w *watcher) readBack(ctx context.Context, id int32, since time.Time, done func(journey.TraceID)) error {
	topic := w.config.Journeys
	from, err := offsets.Since(ctx, w.work.admin, since, topic)
	if err == nil {
		err = from.Error()
	}
	if err != nil {
		return err
	}
	ends, err := w.work.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return err
	}
	begin, _ := from.Lookup(topic, id)
	end, _ := ends.Lookup(topic, id)
	return w.readPartition(ctx, topic, id, begin.Offset, end.Offset, func(r *kgo.Record) {
		if r.Timestamp.Before(since.Add(-clocks)) {
			return // the broker could not look for the time, so all of the partition is read
		}
		if root, err := journey.ParseTraceID(string(r.Key)); err == nil {
			done(root)
		}
	})
}

// readPartition calls take for the records of a partition from offset from up to, but not including, until.
func (w *watcher) readPartition(ctx context.Context, topic string, id int32, from, until int64, take func(*kgo.Record)) error {
	if from < 0 || from >= until {
		return nil
	}
	guard := batches.NewGuard(batchBytes)
	client, err := w.client(ctx, guard, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {id: kgo.NewOffset().At(from)}}))
	if err != nil {
		return err
	}
	defer client.Close()
	for next := from; next < until; {
		fetches := client.PollFetches(ctx)
		var failed error
		fetches.EachError(func(_ string, _ int32, err error) {
			if bad := guard.Skip(topic, id, err); bad != nil {
				w.trouble.skipped(topic, id, bad)
				next = max(next, bad.NextOffset)
				return
			}
			failed = errors.Join(failed, err)
		})
		if failed != nil {
			return failed
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if next = max(next, r.Offset+1); r.Offset < until {
				take(r)
			}
		})
	}
	return nil
}

// judgeTime limits what one step of the work topic spends on verdicts: the watcher's marks wait until it ends.
const judgeTime = 200 * time.Millisecond

// readWork hands records to their actors and writes the results: records for other actors at once, verdicts while the group is up to date. It
// returns whether more are due than it had time for.
func (w *watcher) readWork(st *step, fetches kgo.Fetches) (left bool) {
	fetches.EachRecord(func(r *kgo.Record) {
		p := w.work.parts[r.Partition]
		if p == nil {
			return // another watcher has the partition now
		}
		p.next = r.Offset + 1
		rec, err := record.Decode(r.Value)
		if err != nil {
			w.sums.foreign(1)
			w.trouble.say("a record of the work topic cannot be read: another version of tracelab, or another writer?", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
			return
		}
		p.actors.Handle(rec, r.Offset)
	})
	now := w.now()
	at := w.gateState(now)
	for id, p := range w.work.parts {
		more := until(time.Now().Add(judgeTime / time.Duration(len(w.work.parts))))
		left = p.actors.Advance(actor.Time{Gated: at.Now, Wall: now, Ready: at.Ready}, more) || left
		if at.Held >= w.config.Patience {
			left = p.actors.Overdue(w.config.Patience, at.reason(), more) || left
		}
		send, verdicts := p.actors.Take()
		for i := range send {
			w.writeWork(&w.work, st, &send[i])
		}
		for i := range verdicts {
			w.writeVerdict(st, id, &verdicts[i])
		}
	}
	return left
}

// until returns a function that returns true the first time, so that there is progress, and from then on before the deadline.
func until(deadline time.Time) func() bool {
	first := true
	return func() bool {
		is := first || time.Now().Before(deadline)
		first = false
		return is
	}
}

// writeVerdict writes the summary of a journey, into the partition that has the number of its root's partition of the work topic.
func (w *watcher) writeVerdict(st *step, id int32, v *actor.Verdict) {
	s := summary.Of(v.Journey, v.Incomplete)
	w.work.write(st, &kgo.Record{Topic: w.config.Journeys, Partition: id, Key: []byte(v.Root.String()), Value: s.JSON()})
}
