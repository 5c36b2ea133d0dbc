// Package offsets finds places in the topics of Kafka.
package offsets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Since returns for each partition of a topic the offset of its first record that was written at a time (to the millisecond) or later, or its end where there
// is none. No record that is written meanwhile is left out: kadm's ListOffsetsAfterMilli alone asks for the end after it has heard that there is none, and
// what is written between these two questions is before that end. Where a broker cannot look for the time, since a batch there is damaged, it is the
// partition's start. It asks the brokers three or four times. See the errors of single partitions in the result.
func Since(ctx context.Context, admin *kadm.Client, since time.Time, topic string) (kadm.ListedOffsets, error) {
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("ask where %s ends: %w", topic, err)
	}
	begins, err := admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topic)
	if err != nil {
		return nil, fmt.Errorf("ask where %s was at %s: %w", topic, since.UTC().Format(time.RFC3339), err)
	}
	var starts kadm.ListedOffsets
	for partition, begin := range begins[topic] {
		if IsDamage(begin.Err) {
			if starts == nil {
				if starts, err = admin.ListStartOffsets(ctx, topic); err != nil {
					return nil, fmt.Errorf("ask where %s begins: %w", topic, err)
				}
			}
			begin, _ = starts.Lookup(topic, partition)
		}
		if end, known := ends.Lookup(topic, partition); begin.Err == nil && known {
			begin.Offset, begin.Err = min(begin.Offset, end.Offset), end.Err
		}
		begins[topic][partition] = begin
	}
	return begins, nil
}

// IsDamage reports whether an error is what a broker says of a partition that it cannot search by time, as it cannot read a batch there.
func IsDamage(err error) bool {
	return errors.Is(err, kerr.CorruptMessage) || errors.Is(err, kerr.UnknownServerError)
}
