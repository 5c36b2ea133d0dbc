package watch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/watch/actor"
)

const (
	mostPolled     = 2000                   // maximum number of records of one step
	roundTime      = 100 * time.Millisecond // how long a step waits for records
	commitInterval = time.Second            // between commits
	commitTimeout  = 5 * time.Second
	flushTimeout   = 20 * time.Second // to settle and commit before a partition is given up
)

// stage is a membership in one consumer group: it reads a topic, and commits what it has settled.
type stage struct {
	w      *watcher
	input  bool // the topic is the input
	topic  string
	group  string
	client *kgo.Client
	guard  *batches.Guard
	admin  *kadm.Client
	acks   acks

	mu        sync.Mutex                   // held during a step
	parts     map[int32]*place             // the partitions that are read, by number
	preparing map[int32]context.CancelFunc // partitions that are assigned and not read yet
	prepares  sync.WaitGroup               // the goroutines that prepare them

	commits sync.Mutex   // held during a commit, and while partitions are given up
	id      kadm.TopicID // of topic; zero while it is not known
}

// place is the position of a stage in one partition. The lock of acks guards reach and the fields after it; all values but reach and actors are offsets.
type place struct {
	next   int64            // the next record to handle
	actors *actor.Partition // nil in the input

	reach     reach
	settled   int64 // all records before it are settled
	commit    int64 // no record before it is needed any more
	committed int64 // the last commit
	judged    int64 // no verdict is to come of a trace with records before it
}

// oldest returns the offset of the oldest record that is still needed.
func (p *place) oldest() int64 {
	if p.actors != nil {
		if oldest, open := p.actors.Oldest(); open {
			return min(oldest, p.next)
		}
	}
	return p.next
}

// pending returns the offset of the oldest record of a trace whose root may still get a verdict.
func (p *place) pending() int64 {
	if p.actors != nil {
		if oldest, open := p.actors.Pending(); open {
			return min(oldest, p.next)
		}
	}
	return p.next
}

// run reads records and commits offsets until the context ends. Handle returns whether it has more to do at once, without new records.
func (s *stage) run(ctx context.Context, handle func(*step, kgo.Fetches) bool) {
	committed := time.Now()
	for left := false; ctx.Err() == nil; {
		fetches := s.poll(ctx, left)
		left = s.round(fetches, handle)
		fetches.EachError(s.fetchFailed)
		s.client.AllowRebalance()
		if time.Since(committed) >= commitInterval {
			committed = time.Now()
			if err := s.commitSettled(ctx, nil); err != nil && ctx.Err() == nil {
				s.w.trouble.say("commit failed; trying again with the next one", "group", s.group, "error", err)
			}
		}
	}
}

// poll returns the records that are there, and waits for some unless there is more to do at once.
func (s *stage) poll(ctx context.Context, atOnce bool) kgo.Fetches {
	if atOnce {
		return s.client.PollRecords(nil, mostPolled) //nolint:staticcheck // nil is the client's word for not to wait
	}
	polling, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	return s.client.PollRecords(polling, mostPolled)
}

// fetchFailed skips a batch that cannot be decompressed; all other errors are the broker's.
func (s *stage) fetchFailed(topic string, partition int32, err error) {
	if bad := s.guard.Skip(topic, partition, err); bad != nil {
		s.skip(partition, bad)
		return
	}
	s.w.trouble.fetchFailed(topic, partition, err)
}

// skip counts the records of a batch that was skipped, and moves the place behind them.
func (s *stage) skip(partition int32, bad *kgo.ErrDecompressTooLarge) {
	s.w.trouble.skipped(s.topic, partition, bad)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	if p == nil {
		return // another watcher has the partition now
	}
	p.next = max(p.next, bad.NextOffset)
	if records := bad.NextOffset - bad.Offset; s.input {
		s.w.sums.unread(records)
	} else {
		s.w.sums.foreign(records)
	}
}

// round does one step: it handles the records, and notes the new offsets of all places once the step settles.
func (s *stage) round(fetches kgo.Fetches, handle func(*step, kgo.Fetches) bool) (left bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.acks.begin()
	left = handle(st, fetches)
	type now struct {
		p                    *place
		next, commit, judged int64
	}
	places := make([]now, 0, len(s.parts))
	for _, p := range s.parts {
		places = append(places, now{p, p.next, p.oldest(), p.pending()})
	}
	s.acks.end(st, func() {
		for _, at := range places {
			at.p.settled = max(at.p.settled, at.next)
			at.p.commit = max(at.p.commit, at.commit)
			at.p.judged = at.judged // an older trace may have become open again
			at.p.reach.settle(at.p.settled)
		}
	})
	return left
}

// write sends a record of a step. An error ends the watcher: the next owners of its partitions begin again at the committed offsets.
func (s *stage) write(st *step, r *kgo.Record) {
	s.acks.write(st)
	s.client.Produce(s.client.Context(), r, func(r *kgo.Record, err error) {
		if err != nil {
			s.w.fail(fmt.Errorf("write to topic %s: %w", r.Topic, err))
			return
		}
		s.acks.acknowledge(st)
	})
}

// commitSettled commits the offsets before which no record is needed: those of some partitions, or of all when only is nil.
func (s *stage) commitSettled(ctx context.Context, only []int32) error {
	s.commits.Lock()
	defer s.commits.Unlock()
	return s.commitLocked(ctx, only)
}

// commitLocked is commitSettled for callers that hold the lock commits.
func (s *stage) commitLocked(ctx context.Context, only []int32) error {
	s.mu.Lock()
	parts := maps.Clone(s.parts)
	s.mu.Unlock()
	offsets := map[int32]int64{}
	s.acks.do(func() {
		for id, p := range parts {
			if p.commit > p.committed && (only == nil || slices.Contains(only, id)) {
				offsets[id] = p.commit
			}
		}
	})
	if len(offsets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := s.commitOffsets(ctx, offsets); err != nil {
		return err
	}
	s.acks.do(func() {
		for id, at := range offsets {
			parts[id].committed = at
		}
	})
	return nil
}

// leave gives up partitions. It settles and commits first, so that their next owners have little to read again.
func (s *stage) leave(ctx context.Context, ids []int32) {
	s.mu.Lock()
	ids = slices.DeleteFunc(slices.Clone(ids), func(id int32) bool { return s.parts[id] == nil && s.preparing[id] == nil })
	s.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	flushing, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	err := s.acks.wait(flushing)
	s.commits.Lock()
	defer s.commits.Unlock()
	if err == nil {
		err = s.commitLocked(flushing, ids)
	}
	if err != nil && ctx.Err() == nil {
		s.w.config.Logger.Warn("partitions go with records that are not committed; their next owner reads them again", "topic", s.topic, "partitions", ids, "error", err)
	}
	s.drop(ids)
}

// drop forgets partitions that are given up or lost.
func (s *stage) drop(ids []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if cancel := s.preparing[id]; cancel != nil {
			cancel()
			delete(s.preparing, id)
		}
		if p := s.parts[id]; p != nil && p.actors != nil {
			s.w.sums.left(p.actors.Counts())
		}
		delete(s.parts, id)
	}
}
