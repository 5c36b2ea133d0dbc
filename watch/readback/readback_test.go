package readback_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"tracelab/internal/broker/brokertest"
	"tracelab/internal/testkit"
	"tracelab/internal/testmain"
	"tracelab/watch/measure"
	"tracelab/watch/readback"
	"tracelab/watch/summary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// kafka starts a broker with the topic, until the test ends.
func kafka(t *testing.T) (cluster *kfake.Cluster, address string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "journeys"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, cluster.ListenAddrs()[0]
}

// reader is a reader with what it has counted.
type reader struct {
	*readback.Reader
	metrics *sdkmetric.ManualReader
}

func start(t *testing.T, broker string, changes ...func(*readback.Config)) reader {
	t.Helper()
	r, meter := begin(t, broker, changes...)
	meter.End() // shows all at once
	return r
}

func begin(t *testing.T, broker string, changes ...func(*readback.Config)) (reader, *measure.Meter) {
	t.Helper()
	metrics := sdkmetric.NewManualReader()
	meter, err := measure.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics)), measure.Config{})
	if err != nil {
		t.Fatal(err)
	}
	config := readback.Config{Kafka: []string{broker}, Topic: "journeys", Group: "metrics", Meter: meter}
	for _, change := range changes {
		change(&config)
	}
	r, err := readback.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	return reader{r, metrics}, meter
}

func (r reader) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Error(err)
	}
	r.export(ctx, t)
	r.Close()
}

// export is a collection that is taken.
func (r reader) export(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := r.metrics.Collect(ctx, &metricdata.ResourceMetrics{}); err != nil {
		t.Fatal(err)
	}
	r.Exported(ctx)
}

// sum returns the value of a counter over all its series.
func (r reader) sum(ctx context.Context, name string) (total float64, err error) {
	var data metricdata.ResourceMetrics
	if err := r.metrics.Collect(ctx, &data); err != nil {
		return 0, err
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if s, ok := m.Data.(metricdata.Sum[float64]); ok && m.Name == name {
				for _, p := range s.DataPoints {
					total += p.Value
				}
			}
		}
	}
	return total, nil
}

// await waits until so many journeys were judged and so many came again.
func (r reader) await(t *testing.T, judged, repeated float64) {
	t.Helper()
	testkit.Await(t, "journeys counted", 30*time.Second, func(ctx context.Context) error {
		j, err := r.sum(ctx, "tracelab.journey.judged")
		if err != nil {
			return err
		}
		again, err := r.sum(ctx, "tracelab.journey.repeated")
		if err != nil {
			return err
		}
		if j != judged || again != repeated {
			return fmt.Errorf("%v judged, %v repeated, want %v and %v", j, again, judged, repeated)
		}
		return nil
	})
}

func produce(t *testing.T, broker string, numbers ...int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for _, n := range numbers {
		s := summary.Summary{Schema: summary.Schema, Root: summary.Root{Trace: fmt.Sprintf("%032x", n+1), Span: "0000000000000001", Service: "shop"}, Outcome: summary.OK}
		records = append(records, &kgo.Record{Topic: "journeys", Partition: int32(n % 2), Value: s.JSON()})
	}
	records = append(records, &kgo.Record{Topic: "journeys", Value: []byte("no summary")})
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// TestEachJourneyCountsOnce over two readers that follow each other: what the first counted and is written again does not count at the
// second, nor is anything left out between them.
func TestEachJourneyCountsOnce(t *testing.T) {
	_, broker := kafka(t)
	first := start(t, broker)
	produce(t, broker, 0, 1, 2, 3, 3, 2)
	first.await(t, 4, 2)
	first.close(t)

	produce(t, broker, 1, 4) // while nobody reads
	second := start(t, broker)
	produce(t, broker, 0, 5)
	second.await(t, 2, 2)
	second.close(t)
}

// TestWhatNoExportHadIsCountedByTheNext: a reader that is killed leaves to the next one what no export had, all of it and nothing else, though it had counted
// it. Were the last collection taken and the kill faster than its commit, that one would count twice: the journeys since the export before.
func TestWhatNoExportHadIsCountedByTheNext(t *testing.T) {
	_, broker := kafka(t)
	killed := start(t, broker)
	produce(t, broker, 0, 1, 2, 3)
	killed.await(t, 4, 0)
	killed.export(t.Context(), t)
	produce(t, broker, 4, 5, 6)
	killed.await(t, 7, 0) // collected, and not taken
	killed.Close()

	second := start(t, broker)
	second.await(t, 3, 0)
	second.close(t)
	third := start(t, broker)
	produce(t, broker, 7)
	third.await(t, 1, 0)
	third.close(t)
}

// TestTheFirstExportSaysWhereTheGroupBegan: what is written when the first reader of a group is gone, before anything was counted, is for the next one.
func TestTheFirstExportSaysWhereTheGroupBegan(t *testing.T) {
	_, broker := kafka(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	killed := start(t, broker)
	testkit.Await(t, "the place where the group began", 30*time.Second, func(ctx context.Context) error {
		killed.export(ctx, t)
		commits, err := kadm.NewClient(client).FetchOffsetsForTopics(ctx, "metrics", "journeys")
		if err == nil && len(commits["journeys"]) < 2 {
			err = fmt.Errorf("commits %v, want both partitions", commits)
		}
		commits.Each(func(c kadm.OffsetResponse) {
			if c.At < 0 {
				err = fmt.Errorf("partition %d has no commit", c.Partition)
			}
		})
		return err
	})
	killed.Close()
	produce(t, broker, 0, 1)
	second := start(t, broker)
	second.await(t, 2, 0)
	second.close(t)
}

// TestPartitionsGoWithAnExport: what a reader has counted is exported before another one gets the partition, and then both have their names' places.
func TestPartitionsGoWithAnExport(t *testing.T) {
	_, broker := kafka(t)
	flushed := make(chan struct{}, 16)
	flush := func(ctx context.Context) error { flushed <- struct{}{}; return ctx.Err() }
	first := start(t, broker, func(c *readback.Config) { c.Instance, c.Flush = "a", flush })
	produce(t, broker, 0, 1, 2, 3)
	first.await(t, 4, 0)
	if len(flushed) > 0 {
		t.Error("an export before a partition went")
	}
	second := start(t, broker, func(c *readback.Config) { c.Instance = "b" })
	select {
	case <-flushed:
	case <-time.After(30 * time.Second):
		t.Fatal("a partition went without an export")
	}
	second.close(t)
	first.close(t)
	began := time.Now()
	third := start(t, broker, func(c *readback.Config) { c.Instance = "c" }) // the others have left: it has nobody to wait for
	produce(t, broker, 4, 5)
	third.await(t, 2, 0)
	if waited := time.Since(began); waited > 20*time.Second {
		t.Errorf("the places of the first two were kept: the third counted after %v", waited)
	}
	third.close(t)
}

// endSession answers the next heartbeat as a group does that has dropped the member, and returns when it was sent.
func endSession(t *testing.T, cluster *kfake.Cluster) {
	t.Helper()
	told := make(chan struct{})
	cluster.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		answer := req.ResponseKind().(*kmsg.HeartbeatResponse)
		answer.ErrorCode = kerr.UnknownMemberID.Code
		close(told)
		return answer, nil, true
	})
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		t.Fatal("no heartbeat")
	}
}

// refusal answers a commit with an error for each partition.
func refusal(of *kmsg.OffsetCommitRequest, why *kerr.Error) *kmsg.OffsetCommitResponse {
	answer := of.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, topic := range of.Topics {
		to := kmsg.OffsetCommitResponseTopic{Topic: topic.Topic}
		for _, p := range topic.Partitions {
			to.Partitions = append(to.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: why.Code})
		}
		answer.Topics = append(answer.Topics, to)
	}
	return answer
}

// committed adds up how far the group is.
func committed(ctx context.Context, broker string) (records int64, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	commits, err := kadm.NewClient(client).FetchOffsetsForTopics(ctx, "metrics", "journeys")
	commits.Each(func(c kadm.OffsetResponse) { records += max(0, c.At) })
	return records, err
}

// TestWhatALostPartitionHadIsCommitted: a reader that gives its partitions up, as when Kafka is away, exports and commits what it has counted as soon as it can,
// for others may get them.
func TestWhatALostPartitionHadIsCommitted(t *testing.T) {
	cluster, broker := kafka(t)
	var flushed atomic.Int64
	r := start(t, broker, func(c *readback.Config) {
		c.Instance, c.Flush = "a", func(context.Context) error { flushed.Add(1); return nil }
	})
	produce(t, broker, 0, 1, 2)
	r.await(t, 3, 0)
	var away atomic.Int64
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if away.Add(1) > 2 {
			return nil, nil, false
		}
		return refusal(req.(*kmsg.OffsetCommitRequest), kerr.RebalanceInProgress), nil, true
	})
	endSession(t, cluster)
	testkit.Await(t, "a commit of what was counted", 30*time.Second, func(ctx context.Context) error {
		n, err := committed(ctx, broker)
		if err == nil && n != 4 { // one is no summary
			err = fmt.Errorf("%d records are committed, want 4", n)
		}
		return err
	})
	if flushed.Load() == 0 || away.Load() < 3 {
		t.Errorf("%d exports before %d attempts to commit", flushed.Load(), away.Load())
	}
	produce(t, broker, 3)
	r.await(t, 4, 0)
	r.close(t)
}

// TestALostPartitionThatComesBackCountsOnce: a reader that the group had dropped had counted what it could not commit, and has it in its metrics still. What
// came meanwhile counts, too, and the next reader begins behind all of it.
func TestALostPartitionThatComesBackCountsOnce(t *testing.T) {
	cluster, broker := kafka(t)
	r := start(t, broker, func(c *readback.Config) { c.Instance = "a" })
	produce(t, broker, 0, 1)
	r.await(t, 2, 0)
	r.export(t.Context(), t)
	produce(t, broker, 2, 3, 4)
	r.await(t, 5, 0)
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return refusal(req.(*kmsg.OffsetCommitRequest), kerr.UnknownMemberID), nil, true
	})
	endSession(t, cluster)
	produce(t, broker, 5, 6)
	r.await(t, 7, 0)
	r.close(t)
	second := start(t, broker)
	produce(t, broker, 7)
	second.await(t, 1, 0)
	second.close(t)
}

// TestADamagedBatchCostsItsSummariesAlone has batches that cannot be decompressed beside summaries and at the ends of partitions: all others are counted, and
// nobody waits for what is damaged.
func TestADamagedBatchCostsItsSummariesAlone(t *testing.T) {
	_, broker := kafka(t)
	damage := func() {
		for partition := range int32(2) {
			brokertest.Damage(t, "journeys", partition, kgo.SeedBrokers(broker))
		}
	}
	r := start(t, broker)
	produce(t, broker, 0, 1)
	damage()
	produce(t, broker, 2, 3)
	r.await(t, 4, 0)
	damage()
	drained, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Drain(drained); err != nil || drained.Err() != nil {
		t.Errorf("the end of the topic was not reached: %v, %v", err, drained.Err())
	}
	r.export(t.Context(), t)
	r.Close()
	produce(t, broker, 4)
	second := start(t, broker) // reads the damaged batches again, as it looks back
	second.await(t, 1, 0)
	second.close(t)
}

// TestADamagedBatchCommitsNothing: what was counted before one, and not exported, is for the next reader.
func TestADamagedBatchCommitsNothing(t *testing.T) {
	_, broker := kafka(t)
	killed := start(t, broker)
	produce(t, broker, 0, 1)
	killed.await(t, 2, 0)
	killed.export(t.Context(), t)
	produce(t, broker, 2, 3)
	for partition := range int32(2) {
		brokertest.Damage(t, "journeys", partition, kgo.SeedBrokers(broker))
	}
	produce(t, broker, 4, 5)
	killed.await(t, 6, 0)
	killed.Close()
	second := start(t, broker)
	second.await(t, 4, 0)
	second.close(t)
}
