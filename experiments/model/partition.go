package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// mostPartitions limits the partitions of a topic.
const mostPartitions = 10_000

// PartitionLoads returns how many of the keys go to each partition, by Kafka's murmur2 hash as franz-go's own
// partitioner computes it.
//
// Source: kgo.StickyKeyPartitioner, which is Java's DefaultPartitioner for records with a key. Limits: an empty key is refused,
// since records without a key are not placed by a hash.
func PartitionLoads(keys []string, partitions int) ([]int, error) {
	if err := between("partitions", partitions, 1, mostPartitions); err != nil {
		return nil, err
	}
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic("")
	loads := make([]int, partitions)
	for i, key := range keys {
		if key == "" {
			return nil, fmt.Errorf("key %d is empty: records without a key are not placed by a hash", i+1)
		}
		loads[partitioner.Partition(&kgo.Record{Key: []byte(key)}, partitions)]++
	}
	return loads, nil
}

// Makespan returns how long it takes to work off a backlog when each consumer handles one record at a time: the time of the consumer with the
// most records. assigned holds the partitions of each consumer.
//
// Source: the makespan of a schedule on parallel machines (Graham 1966). Limits: no rebalance in between, records of equal cost,
// one worker for each consumer.
func Makespan(loads []int, assigned [][]int, record time.Duration) (time.Duration, error) {
	if err := positive("the cost of a record in seconds", record.Seconds()); err != nil {
		return 0, err
	}
	taken := make([]bool, len(loads))
	heaviest := 0
	for c, partitions := range assigned {
		sum := 0
		for _, p := range partitions {
			if p < 0 || p >= len(loads) || taken[p] {
				return 0, fmt.Errorf("consumer %d: partition %d is unknown or has another consumer", c+1, p)
			}
			taken[p] = true
			sum += loads[p]
		}
		heaviest = max(heaviest, sum)
	}
	if i := slices.Index(taken, false); i >= 0 {
		return 0, fmt.Errorf("partition %d has no consumer: its records would never be done", i)
	}
	return span(float64(heaviest) * record.Seconds())
}

// MakespanBounds returns bounds of the makespan over all assignments that give every consumer the same number of partitions, or one more; which
// ones is the group's choice. Some assignment reaches greatest; least may lie below what any reaches.
//
// Source: the consumer with the most records has at least the mean and at least the heaviest partition, and at most the
// heaviest partitions together. Limits: as Makespan.
func MakespanBounds(loads []int, consumers int, record time.Duration) (least, greatest time.Duration, err error) {
	if err := between("consumers", consumers, 1, mostPartitions); err != nil {
		return 0, 0, err
	}
	if err := positive("the cost of a record in seconds", record.Seconds()); err != nil {
		return 0, 0, err
	}
	if len(loads) == 0 {
		return 0, 0, fmt.Errorf("no partitions: nothing can be assigned to %d consumers", consumers)
	}
	sorted := slices.Clone(loads)
	slices.SortFunc(sorted, func(a, b int) int { return b - a })
	most := (len(sorted) + consumers - 1) / consumers
	sum, heaviest := 0, 0
	for i, load := range sorted {
		sum += load
		if i < most {
			heaviest += load
		}
	}
	if least, err = span(max(float64(sum)/float64(min(consumers, len(sorted))), float64(sorted[0])) * record.Seconds()); err != nil {
		return 0, 0, err
	}
	greatest, err = span(float64(heaviest) * record.Seconds())
	return least, greatest, err
}
