package batches_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"tracelab/internal/batches"
	"tracelab/internal/broker/brokertest"
	"tracelab/internal/testkit"
	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

// readers are the ways to read a topic of two partitions.
var readers = map[string][]kgo.Opt{
	"of no group": {kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())},
	"of a group":  {kgo.ConsumeTopics("t"), kgo.ConsumerGroup("g"), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())},
	"that commits and holds rebalances back": {kgo.ConsumeTopics("t"), kgo.ConsumerGroup("g"), kgo.AutoCommitMarks(), kgo.BlockRebalanceOnPoll(),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())},
}

// reader reads a topic and goes on behind damaged batches.
type reader struct {
	*testing.T
	broker  []kgo.Opt
	client  *kgo.Client
	writer  *kgo.Client
	guard   *batches.Guard
	skipped map[int32]int // batches, by partition
	values  map[string]int
	between func(partition int32) // called when a batch was told, before it is skipped
}

// inBubble runs f with a reader, in virtual time.
func inBubble(t *testing.T, opts []kgo.Opt, f func(r *reader)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &brokertest.Network{}
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.SeedTopics(2, "t"))
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{T: t, broker: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(network.DialContext)}, guard: batches.NewGuard(1 << 20),
			skipped: map[int32]int{}, values: map[string]int{}, between: func(int32) {}}
		r.client, err = kgo.NewClient(slices.Concat(r.broker, []kgo.Opt{kgo.FetchMaxWait(fetchWait)}, r.guard.Options(), opts)...)
		if err != nil {
			t.Fatal(err)
		}
		r.writer, err = kgo.NewClient(append(r.broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))...)
		if err != nil {
			t.Fatal(err)
		}
		f(r)
		r.writer.Close()
		r.client.CloseAllowingRebalance()
		time.Sleep(2 * fetchWait) // for the requests that wait there
		cluster.Close()
		time.Sleep(2 * fetchWait)
	})
}

const fetchWait = 100 * time.Millisecond

// damage writes a batch that nobody can decompress, and a record behind it.
func (r *reader) damage(partition int32, behind string) {
	r.Helper()
	brokertest.Damage(r.T, "t", partition, r.broker...)
	if err := r.writer.ProduceSync(r.Context(), &kgo.Record{Topic: "t", Partition: partition, Value: []byte(behind)}).FirstErr(); err != nil {
		r.Fatal(err)
	}
}

// awaitStop waits until the client has stopped a partition.
func (r *reader) awaitStop(partition int32) {
	r.Helper()
	testkit.Await(r.T, "a partition that is stopped", 20*time.Second, func(context.Context) error {
		if !r.guard.Untold("t", partition) {
			return fmt.Errorf("no word of partition %d", partition)
		}
		return nil
	})
}

// await polls until each of the values was read, once.
func (r *reader) await(values ...string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	for left := len(values); left > 0; {
		fetches := r.client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) {
			if errors.As(err, new(*kgo.ErrDecompressTooLarge)) {
				r.between(partition)
			}
			if bad := r.guard.Skip(topic, partition, err); bad != nil {
				r.skipped[partition]++
			}
		})
		fetches.EachRecord(func(record *kgo.Record) { r.values[string(record.Value)]++ })
		r.client.AllowRebalance()
		if ctx.Err() != nil {
			r.Fatalf("read %v, and skipped batches of partitions %v, want %v", r.values, r.skipped, values)
		}
		left = 0
		for _, v := range values {
			if r.values[v] == 0 {
				left++
			}
		}
	}
	for v, n := range r.values {
		if n != 1 {
			r.Errorf("%s was read %d times", v, n)
		}
	}
}

// TestABatchThatIsNotToldOf has a client that stops a second partition before it goes on with the first, so that it drops what it has to tell of the second.
func TestABatchThatIsNotToldOf(t *testing.T) {
	for name, opts := range readers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, opts, func(r *reader) {
				r.between = func(partition int32) {
					if partition != 0 || r.skipped[0] > 0 {
						return
					}
					r.damage(1, "behind the second")
					r.awaitStop(1)
				}
				r.damage(0, "behind the first")
				r.await("behind the first", "behind the second")
				if r.skipped[0] != 1 || r.skipped[1] != 1 {
					r.Errorf("skipped %v, want one batch of each partition", r.skipped)
				}
				if r.guard.Untold("t", 0) || r.guard.Untold("t", 1) {
					r.Error("a partition counts as stopped after all was read")
				}
			})
		})
	}
}

// TestABatchThatIsGone has the broker delete a batch of which the client has not told: what is behind it is read once, however long that takes.
func TestABatchThatIsGone(t *testing.T) {
	inBubble(t, readers["of a group"], func(r *reader) {
		r.between = func(partition int32) {
			if partition != 0 || r.skipped[0] > 0 {
				return
			}
			r.damage(1, "behind the second")
			r.awaitStop(1)
			gone := kadm.Offsets{}
			gone.AddOffset("t", 1, 2, -1)
			answers, err := kadm.NewClient(r.writer).DeleteRecords(r.Context(), gone)
			if err = errors.Join(err, answers.Error()); err != nil {
				r.Fatal(err)
			}
		}
		r.damage(0, "behind the first")
		r.await("behind the first", "behind the second")
		for i := range 5 {
			time.Sleep(time.Minute)
			value := fmt.Sprint("later ", i)
			if err := r.writer.ProduceSync(r.Context(), &kgo.Record{Topic: "t", Partition: 1, Value: []byte(value)}).FirstErr(); err != nil {
				r.Fatal(err)
			}
			r.await(value)
		}
	})
}

// TestAClientThatIsPolledLate has a batch that was told of in a fetch that nobody took for some seconds: it is skipped once, and nothing is read twice.
func TestAClientThatIsPolledLate(t *testing.T) {
	for name, opts := range readers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, opts, func(r *reader) {
				r.damage(0, "behind the first")
				r.await("behind the first")
				r.damage(0, "late")
				r.damage(1, "late in the other")
				time.Sleep(4 * time.Second) // virtual: the time that the client has to tell, and twice that
				r.await("late", "late in the other")
				if r.skipped[0] != 2 || r.skipped[1] != 1 {
					r.Errorf("skipped %v, want two batches of the first partition and one of the second", r.skipped)
				}
			})
		})
	}
}

// TestAPartitionThatIsGone is forgotten: its next reader begins anew.
func TestAPartitionThatIsGone(t *testing.T) {
	inBubble(t, readers["of a group"], func(r *reader) {
		r.damage(0, "behind")
		r.awaitStop(0)
		r.guard.Forget(map[string][]int32{"t": {0, 1}, "other": {0}})
		if r.guard.Untold("t", 0) {
			r.Error("it is kept")
		}
	})
}

// TestAFetchLoopThatEnds has a client whose sessions of fetches end one after another, so that now and then its loop ends with one of them: it is woken.
func TestAFetchLoopThatEnds(t *testing.T) {
	inBubble(t, readers["of no group"], func(r *reader) {
		for round := range 200 {
			for range 8 {
				r.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{"t": {1: {Epoch: -1, Offset: 0}}})
			}
			value := fmt.Sprint("round ", round)
			if err := r.writer.ProduceSync(r.Context(), &kgo.Record{Topic: "t", Partition: 0, Value: []byte(value)}).FirstErr(); err != nil {
				r.Fatal(err)
			}
			r.await(value)
		}
	})
}
