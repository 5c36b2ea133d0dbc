package brokertest

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
)

// Records reads topics from their starts, as a consumer outside any group that knows nothing of traces: the first n records at least, or with n = 0 all
// that come within the time, and all that were there by then. It ends the test when fewer than n come within it. opts name the broker and the topics.
func Records(t testing.TB, n int, within time.Duration, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	r := reader{guard: batches.NewGuard(64 << 20), next: map[string]map[int32]int64{}}
	client, err := kgo.NewClient(slices.Concat([]kgo.Opt{kgo.DisableClientMetrics(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, r.guard.Options(), opts)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r.client = client
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for ctx.Err() == nil && (n == 0 || len(r.all) < n) {
		r.poll(ctx)
	}
	if len(r.all) < n {
		t.Fatalf("%d records came within %v, want %d", len(r.all), within, n)
	}
	if n > 0 {
		return r.all
	}
	ctx, cancel = context.WithTimeout(t.Context(), restTime)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, client.GetConsumeTopics()...)
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil && !r.reached(ends) {
		r.poll(ctx)
	}
	if !r.reached(ends) {
		t.Fatalf("the ends of the topics were not reached within %v more, only %v", restTime, r.next)
	}
	return r.all
}

// restTime is how long is waited for what is there: each damaged batch costs some rounds of fetches.
const restTime = 30 * time.Second

// reader follows topics from their starts.
type reader struct {
	client *kgo.Client
	guard  *batches.Guard
	all    []*kgo.Record
	next   map[string]map[int32]int64 // by topic and partition: the next record to take
}

func (r *reader) poll(ctx context.Context) {
	fetches := r.client.PollFetches(ctx)
	fetches.EachRecord(func(one *kgo.Record) {
		r.of(one.Topic)[one.Partition] = one.Offset + 1
		r.all = append(r.all, one)
	})
	fetches.EachError(func(topic string, partition int32, err error) {
		if bad := r.guard.Skip(topic, partition, err); bad != nil {
			r.of(topic)[partition] = bad.NextOffset
		}
	})
}

// of returns the places in a topic.
func (r *reader) of(topic string) map[int32]int64 {
	if r.next[topic] == nil {
		r.next[topic] = map[int32]int64{}
	}
	return r.next[topic]
}

// reached reports whether nothing is left to take before the ends.
func (r *reader) reached(ends kadm.ListedOffsets) bool {
	all := true
	ends.Each(func(end kadm.ListedOffset) {
		all = all && (end.Err != nil || r.of(end.Topic)[end.Partition] >= end.Offset)
	})
	return all
}

// Damage writes a batch of two records into a partition that nobody can decompress. opts name the broker.
func Damage(t testing.TB, topic string, partition int32, opts ...kgo.Opt) {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.DisableClientMetrics(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.WithCompressor(damaged{})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := []*kgo.Record{{Topic: topic, Partition: partition, Value: []byte("x")}, {Topic: topic, Partition: partition, Value: []byte("y")}}
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// damaged is a compressor whose batches nobody can decompress.
type damaged struct{}

// Compress implements kgo.Compressor.
func (damaged) Compress(*bytes.Buffer, []byte, ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	return []byte("no gzip"), kgo.CodecGzip
}
