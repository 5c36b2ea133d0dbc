package otelkgo

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric"
)

// maxWaiting is how many polled records a partition remembers for the age of
// the oldest. Beyond it every second one is forgotten, never the oldest.
const maxWaiting = 4096

// position is how far a client knows and has read a partition.
type position struct {
	known      bool
	start, end int64 // the log start and the high watermark of the last fetch
	// waiting are the records that were polled and, as far as this client
	// knows, not committed.
	waiting []waiting
}

type waiting struct {
	offset int64
	at     time.Time // the record's timestamp
}

// polled records how far a poll has read the partition. It remembers records
// only when somebody observes their age.
func (ps *partitionState) polled(f *kgo.FetchPartition, observed bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.position.known = true
	ps.position.start = f.LogStartOffset
	ps.position.end = max(ps.position.end, f.HighWatermark)
	if !observed {
		return
	}
	w := ps.position.waiting
	for _, r := range f.Records {
		if len(w) == maxWaiting {
			kept := w[:0]
			for i := 0; i < maxWaiting; i += 2 {
				kept = append(kept, w[i])
			}
			w = kept
		}
		w = append(w, waiting{r.Offset, r.Timestamp})
	}
	ps.position.waiting = w
}

// lagAt returns how many records of the partition are not committed, and the
// timestamp of the oldest of those that were polled, or the zero time. committed
// is the group's offset, or noCommit.
func (ps *partitionState) lagAt(committed int64) (lag int64, oldest time.Time, known bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	committed = max(committed, ps.position.start)
	w := ps.position.waiting
	for len(w) > 0 && w[0].offset < committed {
		w = w[1:]
	}
	ps.position.waiting = w
	if len(w) > 0 {
		oldest = w[0].at
	}
	return max(ps.position.end-committed, 0), oldest, ps.position.known
}

// observeLag registers the gauges of consumer groups. The conventions have no
// names for them.
func (in *Instrumentation) observeLag(m metric.Meter) error {
	lag, err := m.Int64ObservableGauge("otelkgo.consumer.lag", metric.WithUnit("{record}"),
		metric.WithDescription("Records of a partition that the group has not committed, as of the client's last fetch."))
	if err != nil {
		return fmt.Errorf("otelkgo: metric otelkgo.consumer.lag: %w", err)
	}
	age, err := m.Float64ObservableGauge("otelkgo.consumer.oldest_message.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest record that the client has polled and not committed; 0 when all are committed."))
	if err != nil {
		return fmt.Errorf("otelkgo: metric otelkgo.consumer.oldest_message.age: %w", err)
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		in.observed.Store(true)
		now := time.Now()
		in.clients.Range(func(cl, cs any) bool {
			cs.(*clientState).observe(cl.(*kgo.Client), func(ps *partitionState, n int64, seconds float64) {
				o.ObserveInt64(lag, n, ps.lag.observe...)
				o.ObserveFloat64(age, seconds, ps.lag.observe...)
			}, now)
			return true
		})
		return nil
	}, lag, age)
	if err != nil {
		return fmt.Errorf("otelkgo: consumer metrics: %w", err)
	}
	return nil
}

// observe calls f for every partition that the client's group has assigned to
// it and that it has fetched from.
func (cs *clientState) observe(cl *kgo.Client, f func(ps *partitionState, lag int64, age float64), now time.Time) {
	if cs.group == "" {
		return
	}
	for topic, partitions := range committedOffsets(cl) {
		for p, offset := range partitions {
			ps := cs.topic(topic).partition(p)
			if ps == nil {
				continue
			}
			n, oldest, known := ps.lagAt(offset)
			if !known {
				continue
			}
			age := 0.0
			if !oldest.IsZero() {
				age = max(now.Sub(oldest).Seconds(), 0)
			}
			f(ps, n, age)
		}
	}
}

// noCommit is the committed offset of a partition that the group has polled and
// never committed.
const noCommit = -1

// committedOffsets returns the committed offset of each assigned partition.
// CommittedOffsets leaves out partitions that the group has never committed;
// UncommittedOffsets has them once they are polled.
func committedOffsets(cl *kgo.Client) map[string]map[int32]int64 {
	offsets := map[string]map[int32]int64{}
	add := func(of map[string]map[int32]kgo.EpochOffset, offset func(kgo.EpochOffset) int64) {
		for topic, partitions := range of {
			if offsets[topic] == nil {
				offsets[topic] = make(map[int32]int64, len(partitions))
			}
			for p, o := range partitions {
				if _, known := offsets[topic][p]; !known {
					offsets[topic][p] = offset(o)
				}
			}
		}
	}
	// A commit wins: of a partition that it covers, UncommittedOffsets only says
	// that more was polled.
	add(cl.CommittedOffsets(), func(o kgo.EpochOffset) int64 { return o.Offset })
	add(cl.UncommittedOffsets(), func(kgo.EpochOffset) int64 { return noCommit })
	return offsets
}
