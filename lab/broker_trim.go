package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/services"
)

const (
	// trimInterval is how often the embedded broker lets go of what every group has handled.
	trimInterval = 5 * time.Second
	// keptRecords is how many handled records of a partition stay, for whoever looks at its topics.
	keptRecords = 256
	// segmentBytes is the size of the embedded broker's segments: it frees memory one segment at a time.
	segmentBytes = "262144"
)

// trimmer deletes records that all consumer groups of a partition have committed. The embedded broker holds records in
// memory, and retention alone, which must not touch what a slow consumer still needs, lets it grow to a gigabyte.
type trimmer struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// startTrimmer begins to look every trimInterval, until stop is called.
func startTrimmer(addresses []string, network services.Network) *trimmer {
	ctx, cancel := context.WithCancel(context.Background())
	t := &trimmer{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(t.ended)
		if !pause(ctx, trimInterval) { // most runs are shorter
			return
		}
		options := []kgo.Opt{kgo.SeedBrokers(addresses...), kgo.DisableClientMetrics()}
		if network.Dial != nil {
			options = append(options, kgo.Dialer(network.Dial))
		}
		client, err := kgo.NewClient(options...)
		if err != nil {
			return // retention is left
		}
		defer client.Close()
		admin := kadm.NewClient(client)
		for {
			// What fails now is tried again: nothing but memory depends on it.
			_ = shrinkSegments(ctx, admin)
			_ = trim(ctx, admin)
			if !pause(ctx, trimInterval) {
				return
			}
		}
	}()
	return t
}

func (t *trimmer) stop() {
	t.cancel()
	<-t.ended
}

// shrinkSegments sets the size of all topics' segments to segmentBytes.
func shrinkSegments(ctx context.Context, admin *kadm.Client) error {
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	_, err = admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "segment.bytes", Value: new(segmentBytes)}}, topics.Names()...)
	return err
}

// trim deletes the records of each partition that every group which reads it has committed.
func trim(ctx context.Context, admin *kadm.Client) error {
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	lags, err := admin.Lag(ctx, groups.Groups()...)
	if err != nil {
		return fmt.Errorf("read committed offsets: %w", err)
	}
	handled := kadm.Offsets{}
	for _, group := range lags {
		if err := group.Error(); err != nil {
			return fmt.Errorf("read the offsets of group %s: %w", group.Group, err)
		}
		if group.State != "Stable" {
			return nil // it is not settled yet who reads which partition
		}
		for _, lag := range group.Lag.Sorted() {
			at := kadm.Offset{Topic: lag.Topic, Partition: lag.Partition, At: lag.Commit.At - keptRecords, LeaderEpoch: -1}
			if before, ok := handled.Lookup(lag.Topic, lag.Partition); !ok || at.At < before.At {
				handled.Delete(lag.Topic, lag.Partition) // Add would keep the larger one
				handled.Add(at)
			}
		}
	}
	handled.KeepFunc(func(o kadm.Offset) bool { return o.At > 0 })
	if len(handled) == 0 {
		return nil
	}
	_, err = admin.DeleteRecords(ctx, handled)
	return err
}
