package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A group commits no further than its oldest record that is not finished. Where somebody asks for its backlog, the metadata of a commit says how
// many records behind the offset are finished all the same, or one record that waits for its next attempt would make all behind it look undone.

// Backlog is how many records of a topic wait for a worker of a service that has so many, by what its group has committed.
func (k *Broker) Backlog(ctx context.Context, topic, service string, workers int) (int, error) {
	admin, name := kadm.NewClient(k.client), k.config.Prefix+topic
	ends, err := admin.ListEndOffsets(ctx, name)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("ask for the end of topic %s: %w", name, err)
	}
	commits, err := admin.FetchOffsets(ctx, k.config.Prefix+service)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return 0, fmt.Errorf("ask how far group %s has come: %w", k.config.Prefix+service, err)
	}
	begins := kadm.ListedOffsets{}
	var unfinished int64
	for _, end := range ends.Offsets().Sorted() {
		commit, ok := commits.Lookup(name, end.Partition)
		if !ok || commit.At < 0 { // nothing yet: what retention has left
			if len(begins) == 0 {
				if begins, err = admin.ListStartOffsets(ctx, name); err != nil {
					return 0, fmt.Errorf("ask for the start of topic %s: %w", name, err)
				}
			}
			begin, _ := begins.Lookup(name, end.Partition)
			commit.At = begin.Offset
		}
		beyond, _ := strconv.ParseInt(commit.Metadata, 10, 64) // what else it says is not ours
		unfinished += max(0, end.At-commit.At-max(0, beyond))
	}
	return int(max(0, unfinished-int64(workers))), nil
}

// counting lets the commit of a context say how many records are finished beyond its offsets.
func (k *Broker) counting(ctx context.Context, offsets map[string]map[int32]kgo.EpochOffset) context.Context {
	if !k.config.Bounded {
		return ctx
	}
	beyond := k.windows.beyond(offsets)
	return kgo.PreCommitFnContext(ctx, func(commit *kmsg.OffsetCommitRequest) error {
		for i := range commit.Topics {
			topic := &commit.Topics[i]
			for j := range topic.Partitions {
				if n := beyond[partition{topic.Topic, topic.Partitions[j].Partition}]; n > 0 {
					topic.Partitions[j].Metadata = new(strconv.Itoa(n))
				}
			}
		}
		return nil
	})
}

// beyond counts, for each partition of a commit, the records that are finished behind one that is not.
func (ws *windows) beyond(offsets map[string]map[int32]kgo.EpochOffset) map[partition]int {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	counts := map[partition]int{}
	for topic, partitions := range offsets {
		for id := range partitions {
			key := partition{topic, id}
			if w := ws.byPartition[key]; w != nil {
				for _, e := range w.entries {
					if e.done {
						counts[key]++
					}
				}
			}
		}
	}
	return counts
}
