package watch

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker/brokertest"
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

// damage writes a batch that cannot be decompressed at the end of each partition of a topic.
func (g *group) damage(topic string, partitions int32) {
	g.Helper()
	for id := range partitions {
		brokertest.Damage(g.T, topic, id, kgo.SeedBrokers(g.cluster.ListenAddrs()...), kgo.Dialer(g.network.DialContext))
	}
}

// TestADamagedBatchAtTheEndIsPassed: one fetch has good records and, behind them, a damaged batch with which the topic ends. A watcher that reads to the end
// comes there, on the input, on the work topic and where it reads summaries back.
func TestADamagedBatchAtTheEndIsPassed(t *testing.T) {
	inGroup(t, func(g *group) {
		s := newStream(g)
		s.send(8, func(int) {})
		g.damage(DefaultTopic, testInputs)
		for _, name := range []string{"first", "second"} {
			g.awaitEnd(g.start(name, func(c *Config) { c.UntilEnd = true }))
			g.damage(DefaultGroup+".work", testWorks)
			g.damage(DefaultJourneys, testWorks)
			s.send(4, func(int) {})
			g.damage(DefaultTopic, testInputs)
		}
	})
}

// TestADamagedBatchCostsItsRecordsAlone has batches that cannot be decompressed on the topics that a watcher follows: all that is beside them is judged.
func TestADamagedBatchCostsItsRecordsAlone(t *testing.T) {
	inGroup(t, func(g *group) {
		damage := g.damage
		s := newStream(g)
		first := g.start("first", nil)
		time.Sleep(10 * time.Second)
		s.send(8, func(i int) {
			if i == 4 {
				damage(DefaultTopic, testInputs)
				damage(DefaultGroup+".work", testWorks)
				damage(DefaultGroup+".marks", 1)
				damage(DefaultJourneys, testWorks)
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
