package otelkgo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/otelkgo"
)

// rebalance is a group in which a second member takes one of two partitions
// while records of both are being handled.
type rebalance struct {
	*bubble
	first, second *kgo.Client
	records       []*kgo.Record      // one of each partition, by partition
	open          []*otelkgo.Process // of these records
	batch         *otelkgo.Process   // of both
	mine, theirs  int32              // the partition that first keeps, and the one it loses
}

// inRebalance runs f when the group has settled. f ends what is open.
func inRebalance(t *testing.T, f func(*rebalance)) {
	t.Helper()
	inBubble(t, []string{"orders"}, func(b *bubble) {
		producer := b.client()
		defer producer.Close()
		for p := range int32(2) {
			b.produce(b.Context(), producer, &kgo.Record{Topic: "orders", Partition: p})
		}
		lost := make(chan []int32, 8)
		r := &rebalance{bubble: b, first: b.member("shipping", kgo.ConsumeTopics("orders"),
			kgo.OnPartitionsAssigned(b.in.OnPartitionsAssigned),
			kgo.OnPartitionsRevoked(func(ctx context.Context, cl *kgo.Client, m map[string][]int32) {
				b.in.OnPartitionsLost(ctx, cl, m) // no time to finish
				if len(m["orders"]) > 0 {
					lost <- m["orders"]
				}
			}))}
		defer r.first.CloseAllowingRebalance()
		r.start()
		r.second = b.member("shipping", kgo.ConsumeTopics("orders"))
		defer r.second.CloseAllowingRebalance()
		select {
		case taken := <-lost:
			if len(taken) != 1 {
				t.Fatalf("partitions %v were taken, want one", taken)
			}
			r.mine, r.theirs = 1-taken[0], taken[0]
		case <-time.After(time.Minute):
			t.Fatal("no partition was taken")
		}
		// Until the group has settled kgo holds commits back with a mutex, on
		// which virtual time does not pass.
		time.Sleep(10 * time.Second)
		f(r)
	})
}

// start polls both records and opens a process span for each, and one for both.
func (r *rebalance) start() {
	r.records = r.poll(r.first, 2)
	for _, record := range r.records {
		_, p := r.in.StartProcess(r.Context(), record)
		r.open = append(r.open, p)
	}
	_, r.batch = r.in.StartProcessBatch(r.Context(), r.records)
}

// end ends what start opened.
func (r *rebalance) end() {
	for _, p := range append(r.open, r.batch) {
		p.End(nil)
	}
}

// offsets commit both records.
func (r *rebalance) offsets() map[string]map[int32]kgo.EpochOffset {
	return map[string]map[int32]kgo.EpochOffset{"orders": {0: {Epoch: -1, Offset: 1}, 1: {Epoch: -1, Offset: 1}}}
}

// wantProcessSpans checks how many process spans ended with partition_lost, and
// how many without an error.
func (r *rebalance) wantProcessSpans(lost, well int) {
	r.Helper()
	got := map[string]int{}
	for _, s := range r.spans.Ended() {
		if strings.HasPrefix(s.Name(), "process") {
			got[attributeOf(s, "error.type")]++
		}
	}
	if got["partition_lost"] != lost || got[""] != well {
		r.Errorf("process spans by error: %v, want %d lost and %d well", got, lost, well)
	}
}

func TestRebalanceLosesOpenSpans(t *testing.T) {
	inRebalance(t, func(r *rebalance) {
		if !r.open[r.theirs].Lost() || r.open[r.mine].Lost() || !r.batch.Lost() {
			t.Errorf("lost: theirs %t, mine %t, batch over both %t; want true, false, true", r.open[r.theirs].Lost(), r.open[r.mine].Lost(), r.batch.Lost())
		}
		r.end()
		r.wantProcessSpans(2, 1)
	})
}

func TestRecordOfALostPartition(t *testing.T) {
	inRebalance(t, func(r *rebalance) {
		r.end()
		err := r.in.Process(r.Context(), r.records[r.theirs], func(context.Context, *kgo.Record) error { return nil })
		if !errors.Is(err, otelkgo.ErrPartitionLost) {
			t.Errorf("processed with %v, want ErrPartitionLost", err)
		}
		r.wantProcessSpans(3, 1)
	})
}

func TestCommitLeavesOutLostPartitions(t *testing.T) {
	inRebalance(t, func(r *rebalance) {
		r.end()
		offsets := r.offsets()
		if err := r.in.CommitOffsets(r.Context(), r.first, offsets); !errors.Is(err, otelkgo.ErrPartitionLost) || !strings.Contains(err.Error(), "topic orders") {
			t.Errorf("commit of both partitions: %v, want ErrPartitionLost for one", err)
		}
		if len(offsets["orders"]) != 2 {
			t.Error("the caller's offsets were changed")
		}
		if got := r.first.CommittedOffsets()["orders"][r.mine].Offset; got != 1 {
			t.Errorf("own partition is committed at %d, want 1", got)
		}
	})
}

func TestOtherMemberGetsTheLostRecord(t *testing.T) {
	inRebalance(t, func(r *rebalance) {
		r.end()
		again := r.poll(r.second, 1)
		if again[0].Partition != r.theirs {
			t.Errorf("the other member got partition %d, want %d, uncommitted", again[0].Partition, r.theirs)
		}
		r.process(again[0])
		r.wantProcessSpans(2, 2)
	})
}

func TestLostPartitionComesBack(t *testing.T) {
	inRebalance(t, func(r *rebalance) {
		r.end()
		r.second.CloseAllowingRebalance()
		time.Sleep(10 * time.Second) // as in inRebalance
		deadline := time.Now().Add(time.Minute)
		for r.in.CommitOffsets(r.Context(), r.first, r.offsets()) != nil && time.Now().Before(deadline) {
			time.Sleep(time.Second)
		}
		r.must(r.in.CommitOffsets(r.Context(), r.first, r.offsets()))
	})
}
