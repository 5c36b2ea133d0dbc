package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tracelab/services/internal/carrier"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// prepare pings the broker and creates missing topics.
func (k *Broker) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, k.kill)()
	if err := k.client.Ping(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("kafka broker %s cannot be reached: start it (task kafka), or name another with --kafka: %w",
			strings.Join(k.config.Addresses, ","), err)
	}
	return k.createTopics(ctx, k.topics(append(slices.Clone(k.config.Topics), k.config.Own.Topics...))...)
}

// createTopics makes the topics that are not there.
func (k *Broker) createTopics(ctx context.Context, topics ...string) error {
	retention := map[string]*string{"retention.bytes": new("16777216"), "segment.bytes": new("4194304")}
	answers, err := kadm.NewClient(k.client).CreateTopics(ctx, int32(cmp.Or(k.config.Partitions, carrier.DefaultPartitions)), -1, retention, topics...)
	if err != nil {
		return fmt.Errorf("create topics %s: %w", strings.Join(topics, ", "), err)
	}
	for _, answer := range answers.Sorted() {
		if answer.Err != nil && !errors.Is(answer.Err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", answer.Topic, answer.Err)
		}
	}
	return nil
}

// RemoveTopics deletes topics, their dead letters and groups, given without their prefix, from a broker. A missing one is not an error.
func RemoveTopics(ctx context.Context, dial carrier.Dial, addresses []string, prefix string, topics, groups []string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.WithContext(ctx), kgo.SeedBrokers(addresses...), kgo.Dialer(dial), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	all := prefixed(prefix, topics)
	for _, topic := range topics {
		all = append(all, prefix+topic+carrier.DeadLetters)
	}
	deletedTopics, err := admin.DeleteTopics(ctx, all...)
	if err != nil {
		return fmt.Errorf("delete the run's topics (prefix %s) from %s: %w", prefix, strings.Join(addresses, ","), err)
	}
	var errs []error
	for _, t := range deletedTopics.Sorted() {
		if t.Err != nil && !errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
			errs = append(errs, fmt.Errorf("delete topic %s: %w", t.Topic, t.Err))
		}
	}
	deletedGroups, err := admin.DeleteGroups(ctx, prefixed(prefix, groups)...)
	if err != nil {
		return fmt.Errorf("delete the run's groups (prefix %s) from %s: %w", prefix, strings.Join(addresses, ","), err)
	}
	for _, g := range deletedGroups.Sorted() {
		if g.Err != nil && !errors.Is(g.Err, kerr.GroupIDNotFound) {
			errs = append(errs, fmt.Errorf("delete group %s: %w", g.Group, g.Err))
		}
	}
	return errors.Join(errs...)
}
