package traceset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
	"tracelab/internal/offsets"
)

// Limits of what is read of a topic, and how long a broker may take for an answer.
const (
	maxRecords     = 1_000_000
	maxRecordBytes = 2 << 30
	maxBatchBytes  = 64 << 20 // of a batch of records, decompressed
	brokerAnswers  = 10 * time.Second
)

// kafkaLog reads the records of a topic from a time on to where it ended when reading began.
type kafkaLog struct {
	address kafkaAddress
	client  *kgo.Client
	guard   *batches.Guard
	ends    map[int32]int64 // by partition that is not read to its end yet
}

// readKafka hands over the values of the records. It joins no group and commits nothing.
func readKafka(ctx context.Context, a kafkaAddress, take func(value []byte)) error {
	guard := batches.NewGuard(maxBatchBytes)
	client, err := kgo.NewClient(append(guard.Options(),
		kgo.WithContext(ctx), kgo.SeedBrokers(a.brokers...), kgo.ClientID("tracelab-compare"), kgo.DisableClientMetrics(),
		kgo.DialTimeout(brokerAnswers/2), kgo.RequestTimeoutOverhead(brokerAnswers), kgo.RequestRetries(2), kgo.FetchMaxBytes(8<<20))...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	log := &kafkaLog{address: a, client: client, guard: guard, ends: map[int32]int64{}}
	if err := log.seek(ctx); err != nil {
		return err
	}
	return log.read(ctx, take)
}

// seek finds where to begin and to end in each partition.
func (l *kafkaLog) seek(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, brokerAnswers)
	defer cancel()
	topic, brokers := l.address.topic, strings.Join(l.address.brokers, ", ")
	admin := kadm.NewClient(l.client)
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return fmt.Errorf("no broker answers at %s: is it up, and does it advertise an address that this host reaches: %w", brokers, err)
	}
	detail := topics[topic]
	switch {
	case errors.Is(detail.Err, kerr.UnknownTopicOrPartition), detail.Err == nil && len(detail.Partitions) == 0:
		return fmt.Errorf("%s has no topic %s: name the one that tracelab watch writes summaries to", brokers, topic)
	case detail.Err != nil:
		return fmt.Errorf("topic %s at %s: %w", topic, brokers, detail.Err)
	}
	begins, err := offsets.Since(ctx, admin, l.address.since, topic)
	ends, endErr := admin.ListEndOffsets(ctx, topic)
	if err := errors.Join(err, endErr, begins.Error(), ends.Error()); err != nil {
		return fmt.Errorf("offsets of topic %s at %s: %w", topic, brokers, err)
	}
	from := map[int32]kgo.Offset{}
	ends.Each(func(end kadm.ListedOffset) {
		if begin, ok := begins.Lookup(topic, end.Partition); ok && begin.Offset >= 0 && begin.Offset < end.Offset {
			from[end.Partition], l.ends[end.Partition] = kgo.NewOffset().At(begin.Offset), end.Offset
		}
	})
	l.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	return nil
}

// read fetches until all partitions are read to their ends.
func (l *kafkaLog) read(ctx context.Context, take func([]byte)) error {
	count, size := 0, 0
	for len(l.ends) > 0 {
		waiting, cancel := context.WithTimeout(ctx, brokerAnswers)
		fetches := l.client.PollFetches(waiting)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		skipped := l.skip(fetches, take)
		if fetches.NumRecords() == 0 && !skipped {
			return fmt.Errorf("topic %s at %s: nothing came for %s, and %d partitions are not read to their end: %w",
				l.address.topic, strings.Join(l.address.brokers, ", "), brokerAnswers, len(l.ends), fetches.Err())
		}
		for record := range fetches.RecordsAll() {
			end, open := l.ends[record.Partition]
			if open && record.Offset >= end-1 {
				delete(l.ends, record.Partition)
			}
			if !open || record.Offset >= end {
				continue
			}
			if count, size = count+1, size+len(record.Value); count > maxRecords || size > maxRecordBytes {
				return fmt.Errorf("more than %d summaries, or %d MiB of them, were written since %s: choose a shorter time with since and until",
					maxRecords, maxRecordBytes>>20, l.address.since.Format(time.RFC3339))
			}
			take(record.Value)
		}
	}
	return nil
}

// skip goes on behind batches that cannot be decompressed, each of which is a record that is no summary.
func (l *kafkaLog) skip(fetches kgo.Fetches, take func([]byte)) (skipped bool) {
	fetches.EachError(func(topic string, partition int32, err error) {
		bad := l.guard.Skip(topic, partition, err)
		if bad == nil {
			return
		}
		skipped = true
		take(nil)
		if end, open := l.ends[partition]; open && bad.NextOffset >= end {
			delete(l.ends, partition)
		}
	})
	return skipped
}
