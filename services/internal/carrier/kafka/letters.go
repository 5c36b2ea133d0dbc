package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/services/internal/carrier"
)

// Letters reads the dead letters of a topic that no redrive has sent back yet, no more than so many, and leaves them there.
func Letters(ctx context.Context, r carrier.Redrive) ([]carrier.Letter, error) {
	client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(r.Config.Addresses...), kgo.Dialer(r.Config.Dial), kgo.DisableClientMetrics(), kgo.ClientID(r.Config.Service),
		kgo.BrokerMaxReadBytes(answerBytes), kgo.FetchMaxWait(fetchWait), kgo.FetchMaxBytes(fetchBytes), kgo.FetchMaxPartitionBytes(partitionBytes), batches.Limit(batchBytes))
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	l := &letters{Redrive: r, client: client, dead: r.Config.Prefix + r.Topic + carrier.DeadLetters, group: r.Config.Prefix + r.Config.Service, done: kadm.Offsets{}}
	left, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	var found []carrier.Letter
	for left = min(left, r.Most); len(found) < left; {
		fetches := client.PollRecords(ctx, left-len(found))
		if ctx.Err() != nil {
			return found, fmt.Errorf("read the dead letters %s: %w", l.dead, context.Cause(ctx))
		}
		if err := fetches.Err(); err != nil {
			return found, fmt.Errorf("read the dead letters %s: %w", l.dead, err)
		}
		for _, record := range fetches.Records() {
			found = append(found, carrier.LetterOf(func(name string) string { return headerOf(record, name) }))
		}
	}
	return found, nil
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
