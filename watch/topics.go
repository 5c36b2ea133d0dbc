package watch

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// topic is a topic that the group creates when it is missing.
type topic struct {
	name       string
	partitions int32
	otherwise  string // what to do when an existing topic has another number of partitions; "" where any will do
	settings   map[string]*string
}

// topics returns the topics of the group, without its input. To use other settings, create the topics beforehand or alter them: of an existing
// topic only the number of partitions is checked.
func (c Config) topics() []topic {
	return []topic{
		// A watcher that gets a partition reads again from its oldest open trace, and a group that was away reads all that it missed: 12 hours
		// outlast an incident. The input has its own retention for what stage 0 has not read.
		{c.workTopic(), c.Partitions, "a trace's place depends on their number, so name another --group", map[string]*string{"cleanup.policy": new("delete"), "retention.ms": ms(12 * time.Hour), "segment.ms": ms(time.Hour)}},
		// Only the newest mark of a partition counts, and only for seconds. One partition, so that all marks have one order.
		{c.marksTopic(), 1, "its records have one order, so delete it while no watcher runs, or name another --group", map[string]*string{"cleanup.policy": new("compact"), "segment.ms": ms(10 * time.Minute), "max.compaction.lag.ms": ms(time.Hour)}},
		// A week, so that a release can be compared with the one before. Not compacted, since each journey has a key of its own.
		{c.Journeys, c.Partitions, "a summary's place depends on their number, so name another topic with --journeys", map[string]*string{"cleanup.policy": new("delete"), "retention.ms": ms(7 * 24 * time.Hour)}},
		// A week, since people have to look at dead letters.
		{c.deadTopic(), 1, "", map[string]*string{"cleanup.policy": new("delete"), "retention.ms": ms(7 * 24 * time.Hour)}},
	}
}

// ms returns a duration as a topic's setting, in milliseconds.
func ms(d time.Duration) *string { return new(fmt.Sprint(d.Milliseconds())) }

// mostInput is the size in bytes of the records that an input topic takes which a watcher creates: collectors' batches exceed Kafka's default of 1 MiB.
const mostInput = 5 << 20

// findInput creates the input topic when it is missing, since no collector can write before. A watcher that ends with the topic has nothing to wait for:
// there a missing one is an error.
func (c Config) findInput(ctx context.Context, admin *kadm.Client) error {
	_, err := partitionsOf(ctx, admin, c.Topic)
	if !errors.Is(err, errNoTopic) {
		return err
	}
	if c.UntilEnd {
		return fmt.Errorf("%w: name the one that your collector writes to with --topic", err)
	}
	settings := map[string]*string{"max.message.bytes": new(strconv.Itoa(mostInput)), "retention.ms": ms(24 * time.Hour)}
	_, err = admin.CreateTopic(ctx, -1, -1, settings, c.Topic) // the broker's numbers of partitions and replicas
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create topic %s for your collector: create it, or name another with --topic: %w", c.Topic, err)
	}
	c.Logger.Warn("the input topic was missing: created it; spans come when a collector writes to it", "topic", c.Topic)
	_, err = awaitTopic(ctx, admin, c.Topic)
	return err
}

// makeTopics creates the topics that are missing, and refuses existing ones with another number of partitions.
func (c Config) makeTopics(ctx context.Context, admin *kadm.Client) error {
	for _, t := range c.topics() {
		_, err := admin.CreateTopic(ctx, t.partitions, -1, t.settings, t.name)
		if errors.Is(err, kerr.InvalidConfig) { // an older broker may not know a setting
			_, err = admin.CreateTopic(ctx, t.partitions, -1, nil, t.name)
		}
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", t.name, err)
		}
		if t.otherwise == "" {
			continue
		}
		n, err := awaitTopic(ctx, admin, t.name)
		if err != nil {
			return err
		}
		if n != t.partitions {
			return fmt.Errorf("topic %s has %d partitions, want %d: %s", t.name, n, t.partitions, t.otherwise)
		}
	}
	c.awaitLeaders(ctx, admin)
	return nil
}

// leadersTimeout limits the wait for the leaders of new partitions.
const leadersTimeout = 5 * time.Second

// awaitLeaders waits until each partition has a leader that answers: those of a new topic take a moment. What goes on without one is logged where it is read.
func (c Config) awaitLeaders(ctx context.Context, admin *kadm.Client) {
	ctx, cancel := context.WithTimeout(ctx, leadersTimeout)
	defer cancel()
	for ctx.Err() == nil {
		ends, err := admin.ListEndOffsets(ctx, c.Topic, c.workTopic(), c.marksTopic(), c.Journeys)
		if err == nil && ends.Error() == nil {
			return
		}
		pause(ctx, metadataMinAge)
	}
}

// awaitTopic returns how many partitions a new topic has: it may take a moment to show.
func awaitTopic(ctx context.Context, admin *kadm.Client, name string) (int32, error) {
	n, err := partitionsOf(ctx, admin, name)
	for ; errors.Is(err, errNoTopic) && ctx.Err() == nil; n, err = partitionsOf(ctx, admin, name) {
		pause(ctx, metadataMinAge)
	}
	return n, err
}

// errNoTopic says that a topic does not exist.
var errNoTopic = errors.New("there is no such topic")

// partitionsOf returns how many partitions a topic has.
func partitionsOf(ctx context.Context, admin *kadm.Client, name string) (int32, error) {
	details, err := admin.ListTopics(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("look for topic %s: %w", name, err)
	}
	detail := details[name]
	if errors.Is(detail.Err, kerr.UnknownTopicOrPartition) || len(detail.Partitions) == 0 {
		return 0, fmt.Errorf("topic %s: %w", name, errNoTopic)
	}
	if detail.Err != nil {
		return 0, fmt.Errorf("look for topic %s: %w", name, detail.Err)
	}
	return int32(len(detail.Partitions)), nil
}
