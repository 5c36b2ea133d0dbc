package brokertest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/batches"
)

// Records reads topics from their starts, as a consumer outside any group that knows nothing of traces: the first n records at least, or with n = 0 all
// that come within the time. It ends the test when fewer than n come within it. opts name the broker and the topics.
func Records(t testing.TB, n int, within time.Duration, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.DisableClientMetrics(), batches.Limit(64 << 20), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var all []*kgo.Record
	for ctx.Err() == nil && (n == 0 || len(all) < n) {
		fetches := client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) { _ = batches.Skip(client, topic, partition, err) })
		fetches.EachRecord(func(r *kgo.Record) { all = append(all, r) })
	}
	if len(all) < n {
		t.Fatalf("%d records came within %v, want %d", len(all), within, n)
	}
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
