package watch

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/watch/record"
)

// TestRecordsAreMadeOnce: the size that is taken for a record is enough, and not much more.
func TestRecordsAreMadeOnce(t *testing.T) {
	long := make([]byte, 70_000)
	for _, r := range []record.Record{
		{Kind: record.Span, Spans: [][]byte{long[:200], long[:10], long}},
		{Kind: record.Tell, Spans: [][]byte{long[:100]}, Stubs: [][]byte{long[:20], long[:30]}, Roots: []record.Root{{First: 1 << 62}, {Orphan: true, First: -1}}},
		{Kind: record.Give},
	} {
		if size, bytes := sizeOf(&r), len(r.Append(nil)); bytes > size || size > bytes+80 {
			t.Errorf("%d bytes for a record of %d", size, bytes)
		}
	}
}

// damaged is a compressor whose batches nobody can decompress.
type damaged struct{}

// Compress implements kgo.Compressor.
func (damaged) Compress(*bytes.Buffer, []byte, ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	return []byte("no gzip"), kgo.CodecGzip
}

// TestADamagedBatchCostsItsRecordsAlone has batches that cannot be decompressed on the topics that a watcher follows: all that is beside them is judged.
func TestADamagedBatchCostsItsRecordsAlone(t *testing.T) {
	inGroup(t, func(g *group) {
		client, err := kgo.NewClient(kgo.SeedBrokers(g.cluster.ListenAddrs()...), kgo.Dialer(g.network.DialContext), kgo.DisableClientMetrics(),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.WithCompressor(damaged{}))
		g.must(err)
		defer client.Close()
		damage := func(topic string, partitions int32) {
			for id := range partitions {
				g.must(client.ProduceSync(context.Background(), &kgo.Record{Topic: topic, Partition: id, Value: []byte("x")}, &kgo.Record{Topic: topic, Partition: id, Value: []byte("y")}).FirstErr())
			}
		}
		s := newStream(g)
		first := g.start("first", nil)
		time.Sleep(10 * time.Second)
		s.send(8, func(i int) {
			if i == 4 {
				damage(DefaultTopic, testInputs)
				damage(DefaultGroup+".work", testWorks)
				damage(DefaultGroup+".marks", 1)
			}
		})
		time.Sleep(time.Minute)
		first.stop()
		s.send(2, func(int) {})
		s.finish() // by a watcher that reads what the first one has not committed, and the summaries back
		if sums := first.sums; sums.Damaged != 2*testInputs || sums.Read != sums.Decoded+sums.Damaged || sums.Foreign != 2*testWorks {
			t.Errorf("the sums are %s", sums)
		}
	})
}
