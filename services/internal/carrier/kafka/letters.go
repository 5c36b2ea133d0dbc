package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/services/internal/carrier"
)

// Letters reads the dead letters of a topic that no redrive has sent back yet, no more than so many, and leaves them there.
func Letters(ctx context.Context, r carrier.Redrive) ([]carrier.Letter, error) {
	l, err := newLetters(ctx, r)
	if err != nil {
		return nil, err
	}
	defer l.client.Close()
	var found []carrier.Letter
	err = l.open(ctx)
	for len(l.left) > 0 && len(found) < r.Most && err == nil {
		err = l.next(ctx, r.Most-len(found), func(record *kgo.Record) error {
			found = append(found, carrier.LetterOf(func(name string) string { return headerOf(record, name) }))
			return nil
		})
	}
	return found, err
}

// letters are the dead letters of a topic that are there when it is opened.
type letters struct {
	carrier.Redrive
	client      *kgo.Client
	guard       *batches.Guard
	dead, group string
	left        map[int32]int64 // the end of what is to be read, by partition with some
	done        kadm.Offsets    // behind what was taken
	skipped     int             // batches that nobody can read
}

// newLetters returns them with a client that has opts, too. Close it.
func newLetters(ctx context.Context, r carrier.Redrive, opts ...kgo.Opt) (*letters, error) {
	l := &letters{Redrive: r, guard: batches.NewGuard(batchBytes), dead: r.Config.Prefix + r.Topic + carrier.DeadLetters, group: r.Config.Prefix + r.Config.Service, left: map[int32]int64{}}
	var err error
	l.client, err = kgo.NewClient(slices.Concat(l.guard.Options(), []kgo.Opt{
		kgo.WithContext(ctx), kgo.SeedBrokers(r.Config.Addresses...), kgo.Dialer(r.Config.Dial), kgo.DisableClientMetrics(), kgo.ClientID(r.Config.Service),
		kgo.BrokerMaxReadBytes(answerBytes), kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes),
	}, opts)...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return l, nil
}

// open finds out which there are, and begins to read them where the last redrive ended.
func (l *letters) open(ctx context.Context) error {
	admin := kadm.NewClient(l.client)
	ends, err := admin.ListEndOffsets(ctx, l.dead)
	if err == nil {
		err = ends.Error()
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) { // nothing was ever put there
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the dead letters %s at %v: %w", l.dead, l.Config.Addresses, err)
	}
	begins, err := admin.ListStartOffsets(ctx, l.dead)
	if err != nil {
		return fmt.Errorf("look for the dead letters %s: %w", l.dead, err)
	}
	commits, err := admin.FetchOffsets(ctx, l.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("ask how far the last redrive of %s came: %w", l.dead, err)
	}
	from := map[string]map[int32]kgo.Offset{l.dead: {}}
	ends.Each(func(end kadm.ListedOffset) {
		begin, _ := begins.Lookup(end.Topic, end.Partition)
		at := begin.Offset
		if commit, ok := commits.Lookup(end.Topic, end.Partition); ok {
			at = max(at, commit.At)
		}
		if at < end.Offset {
			l.left[end.Partition] = end.Offset
			from[l.dead][end.Partition] = kgo.NewOffset().At(at)
		}
	})
	l.client.AddConsumePartitions(from)
	return nil
}

// next reads some of them, no more than most, and has each taken. It goes on behind a batch that nobody can read.
func (l *letters) next(ctx context.Context, most int, take func(*kgo.Record) error) (err error) {
	fetches := l.client.PollRecords(ctx, most)
	if ctx.Err() != nil {
		return fmt.Errorf("read the dead letters %s: %w", l.dead, context.Cause(ctx))
	}
	for _, r := range fetches.Records() {
		if r.Offset >= l.left[r.Partition] { // it came meanwhile
			continue
		}
		if err := take(r); err != nil {
			return err
		}
		l.behind(r.Partition, r.Offset+1)
	}
	fetches.EachError(func(topic string, partition int32, failed error) {
		bad := l.guard.Skip(topic, partition, failed)
		if bad == nil {
			err = errors.Join(err, fmt.Errorf("read the dead letters %s: %w", l.dead, failed))
			return
		}
		if bad.Offset < l.left[partition] {
			l.skipped++
			l.behind(partition, bad.NextOffset)
		}
	})
	return err
}

// behind notes how far a partition was read.
func (l *letters) behind(partition int32, offset int64) {
	if offset >= l.left[partition] {
		delete(l.left, partition)
	}
	l.done.Add(kadm.Offset{Topic: l.dead, Partition: partition, At: offset, LeaderEpoch: -1})
}

// Unread is how many records of a topic and of those that its work leads to wait for a service: all but dead letters.
func Unread(ctx context.Context, c carrier.BrokerConfig, services []string, topics []string) (int64, error) {
	client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(c.Addresses...), kgo.Dialer(c.Dial), kgo.DisableClientMetrics())
	if err != nil {
		return 0, fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	groups := make([]string, len(services))
	for i, service := range services {
		groups[i] = c.Prefix + service
	}
	lags, err := kadm.NewClient(client).Lag(ctx, groups...)
	if err != nil {
		return 0, fmt.Errorf("ask how much is unread: %w", err)
	}
	var unread int64
	var errs []error
	lags.Each(func(group kadm.DescribedGroupLag) {
		errs = append(errs, group.Error())
		for _, topic := range topics {
			for _, partition := range group.Lag[c.Prefix+topic] {
				unread += max(0, partition.Lag)
			}
		}
	})
	return unread, errors.Join(errs...)
}
