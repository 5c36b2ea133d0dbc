package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
)

// open joins the stage's consumer group. A partition that is assigned is not read until prepare has made its place.
func (w *watcher) open(life context.Context, s *stage, prepare func(ctx context.Context, id int32, committed int64) (*place, error)) error {
	s.w, s.parts, s.preparing = w, map[int32]*place{}, map[int32]context.CancelFunc{}
	opened := make(chan struct{}) // the client asks for partitions as soon as it is made, before this function has it
	got := func(ctx context.Context, client *kgo.Client, assigned map[string][]int32) {
		<-opened
		client.PauseFetchPartitions(assigned)
		for _, id := range assigned[s.topic] {
			s.get(ctx, client, id, prepare)
		}
	}
	s.guard = batches.NewGuard(batchBytes)
	client, err := w.client(life, s.guard,
		kgo.ConsumerGroup(s.group),
		kgo.InstanceID(w.config.Instance),              // a watcher that was killed and comes back within the session has its partitions at once
		kgo.Balancers(kgo.CooperativeStickyBalancer()), // a partition that stays is not interrupted
		kgo.ConsumeTopics(s.topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.OnPartitionsAssigned(got),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, gone map[string][]int32) {
			s.guard.Forget(gone)
			s.leave(ctx, gone[s.topic])
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
			s.guard.Forget(gone)
			s.drop(gone[s.topic])
		}),
	)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	s.client, s.admin = client, kadm.NewClient(client)
	close(opened)
	return nil
}

// get prepares an assigned partition in the background, and then starts to read it. It retries failures until the partition is taken away.
func (s *stage) get(ctx context.Context, client *kgo.Client, id int32, prepare func(ctx context.Context, id int32, committed int64) (*place, error)) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.preparing[id] = cancel
	s.mu.Unlock()
	s.prepares.Go(func() {
		defer cancel()
		for ctx.Err() == nil {
			p, err := s.place(ctx, client, id, prepare)
			if err == nil {
				s.begin(ctx, client, id, p)
				return
			}
			s.w.trouble.say("cannot begin with a partition; trying again", "topic", s.topic, "partition", id, "error", err)
			pause(ctx, mostBackoff)
		}
	})
}

// begin starts to read a partition, unless it was taken away meanwhile.
func (s *stage) begin(ctx context.Context, client *kgo.Client, id int32, p *place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	delete(s.preparing, id)
	s.parts[id] = p
	client.ResumeFetchPartitions(map[string][]int32{s.topic: {id}})
}

// place returns the place of a partition at the offset to read from: the last commit, or the partition's start.
func (s *stage) place(ctx context.Context, client *kgo.Client, id int32, prepare func(ctx context.Context, id int32, committed int64) (*place, error)) (*place, error) {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, s.topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ask where %s begins: %w", s.topic, err)
	}
	commits, err := admin.FetchOffsets(ctx, s.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("ask what group %s has committed: %w", s.group, err)
	}
	start, _ := starts.Lookup(s.topic, id)
	from := start.Offset
	if commit, ok := commits.Lookup(s.topic, id); ok {
		if commit.Err != nil {
			return nil, commit.Err
		}
		from = max(from, commit.At)
	}
	p, err := prepare(ctx, id, from)
	if err != nil {
		return nil, err
	}
	p.next, p.settled, p.commit, p.committed = from, from, from, from
	return p, nil
}

// close gives up all partitions and leaves the group, so other watchers get them at once. Kafka would else keep them for sessionTimeout, for a
// member with an instance name that may come back.
func (s *stage) close(ctx context.Context) {
	s.mu.Lock()
	ids := slices.Concat(slices.Collect(maps.Keys(s.parts)), slices.Collect(maps.Keys(s.preparing)))
	s.mu.Unlock()
	s.client.AllowRebalance()
	s.leave(ctx, ids)
	if ctx.Err() == nil {
		answers, err := s.admin.LeaveGroup(ctx, kadm.LeaveGroup(s.group).InstanceIDs(s.w.config.Instance))
		if err == nil {
			err = answers.Error()
		}
		if err != nil && !errors.Is(err, kerr.UnknownMemberID) {
			s.w.config.Logger.Warn("the group keeps the place of this watcher until its session ends", "group", s.group, "error", err)
		}
	}
}

// pause waits for a time, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
