package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// settleTime is the time between asking where the partitions end and writing the marks: most partitions settle up to their ends in it.
const settleTime = 200 * time.Millisecond

// gateState sets the gate's time and returns its state.
func (w *watcher) gateState(now time.Duration) state {
	w.gateLock.Lock()
	defer w.gateLock.Unlock()
	return w.gate.advance(now)
}

// readMarks reads the marks of all watchers until the context ends.
func (w *watcher) readMarks(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := w.marks.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) {
			if bad := w.guard.Skip(topic, partition, err); bad != nil {
				w.trouble.skipped(topic, partition, bad)
				return
			}
			w.trouble.fetchFailed(topic, partition, err)
		})
		w.gateLock.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			p, m, err := parseMark(r.Key, r.Value)
			if err != nil {
				w.trouble.say("a mark cannot be read", "topic", r.Topic, "offset", r.Offset, "error", err)
			}
			w.gate.heard(r.Offset, p, m)
		})
		w.gateLock.Unlock()
	}
}

// writeMarks writes a mark for each partition of this watcher every MarkInterval, until the context ends.
func (w *watcher) writeMarks(ctx context.Context) {
	ticker := time.NewTicker(MarkInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := w.mark(ctx); err != nil && ctx.Err() == nil {
			w.trouble.say("no marks, so the group gives no verdicts; trying again", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// mark asks the broker where the partitions end, and writes marks that say how far this watcher has settled them.
func (w *watcher) mark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, HoldAfter)
	defer cancel()
	w.gateLock.Lock()
	asOf := w.gate.read
	w.gateLock.Unlock()
	now := w.now()
	ends, err := w.work.admin.ListEndOffsets(ctx, w.config.Topic, w.config.workTopic())
	if err != nil {
		return fmt.Errorf("ask where %s and %s end: %w", w.config.Topic, w.config.workTopic(), err)
	}
	starts, err := w.work.admin.ListStartOffsets(ctx, w.config.Topic, w.config.workTopic())
	if err != nil {
		return fmt.Errorf("ask where %s and %s begin: %w", w.config.Topic, w.config.workTopic(), err)
	}
	w.gateLock.Lock()
	w.gate.want(int32(len(ends[w.config.Topic])), w.config.Partitions)
	w.gateLock.Unlock()
	for _, s := range []*stage{&w.in, &w.work} {
		s.asked(ends, starts, asOf, now)
	}
	pause(ctx, settleTime)
	first := true
	for _, s := range []*stage{&w.in, &w.work} {
		for p, m := range s.marksNow(w.now()) {
			w.writeMark(p, m, now, first)
			first = false
		}
	}
	return nil
}

// writeMark writes one mark. Of each round of marks the gate remembers the first: the marks of others refer to it.
func (w *watcher) writeMark(p part, m mark, now time.Duration, first bool) {
	r := &kgo.Record{Topic: w.config.marksTopic(), Key: []byte(p.String()), Value: m.value()}
	w.marks.Produce(w.marks.Context(), r, func(r *kgo.Record, err error) {
		if errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled) {
			return // the watcher ends
		}
		if err != nil {
			w.trouble.say("a mark is not written; the next one is tried", "topic", r.Topic, "error", err)
			return
		}
		if first {
			w.gateLock.Lock()
			w.gate.wrote(r.Offset, now)
			w.gateLock.Unlock()
		}
	})
}

// asked notes where the stage's partitions ended at the time now.
func (s *stage) asked(ends, starts kadm.ListedOffsets, asOf int64, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks.do(func() {
		for id, p := range s.parts {
			end, ok := ends.Lookup(s.topic, id)
			if !ok || end.Err != nil {
				continue
			}
			p.reach.ask(ask{end: end.Offset, asOf: asOf, at: now})
			at := p.settled
			if start, ok := starts.Lookup(s.topic, id); ok && start.Err == nil && start.Offset == end.Offset {
				at = max(at, start.Offset) // retention has deleted all records: there is nothing to settle
			}
			p.reach.settle(at)
		}
	})
}

// marksNow returns the current marks of the stage's partitions.
func (s *stage) marksNow(now time.Duration) map[part]mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	marks := map[part]mark{}
	s.acks.do(func() {
		for id, p := range s.parts {
			marks[part{input: s.input, id: id}] = mark{AsOf: p.reach.asOf, BehindMS: p.reach.behind(now).Milliseconds(), Judged: p.judged, Watcher: s.w.config.Instance}
		}
	})
	return marks
}
