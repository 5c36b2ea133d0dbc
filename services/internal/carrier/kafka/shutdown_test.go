package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/batches"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// TestDrainFinishesAndCommits: whatever has been polled is handled and committed when Drain returns, even when a commit
// is on its way at that moment; a second start sees none of it.
func TestDrainFinishesAndCommits(t *testing.T) {
	for _, after := range []int{0, 5, 99, 100, 101, 105, 120, 199, 201} { // ms; commits start every 100
		withKafka(t, func(b *bubble) {
			slowly := func(kmsg.Request) (kmsg.Response, error, bool) {
				b.cluster.KeepControl()
				b.cluster.SleepControl(func() { time.Sleep(30 * time.Millisecond) })
				return nil, nil, false
			}
			var first, second handled
			k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
				time.Sleep(40 * time.Millisecond)
				first.add(e)
				return nil
			})
			b.cluster.ControlKey(int16(kmsg.OffsetCommit), slowly)
			for key := range 6 {
				b.produce(fmt.Sprint("key", key), event(fmt.Sprint(key)), event(fmt.Sprint(key, "'")))
			}
			time.Sleep(time.Duration(after) * time.Millisecond)
			b.drainAndClose(k)
			k = b.open(func(_ context.Context, _ string, e *orderpb.Event) error { second.add(e); return nil })
			time.Sleep(time.Second)
			b.drainAndClose(k)
			all := slices.Sorted(slices.Values(append(first.all(), second.all()...)))
			if len(all) != 12 || len(slices.Compact(all)) != 12 || b.uncommitted() != 0 {
				t.Errorf("drained after %dms: handled %v, then %v, %d not committed: want each of 12 once", after, first.all(), second.all(), b.uncommitted())
			}
		})
	}
}

// TestDrainCommitsWhatItHasCutOff: stopping ends a commit that the broker keeps putting off.
func TestDrainCommitsWhatItHasCutOff(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: -1})
		b.produce("key", event("a"))
		time.Sleep(150 * time.Millisecond)
		if fault.Hits() == 0 || len(b.Log.Lines("commit failed")) > 0 {
			t.Fatalf("%d commits put off, %d given up: the test shows nothing", fault.Hits(), len(b.Log.Lines("commit failed")))
		}
		fault.Remove()
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 0 {
			t.Errorf("%d not committed, want 0", left)
		}
	})
}

// TestCloseDoesNotWaitForTheBrokersConsent longer than it is allowed to.
func TestCloseDoesNotWaitForTheBrokersConsent(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		hold := make(chan struct{})
		b.cluster.ControlKey(int16(kmsg.LeaveGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.SleepControl(func() { <-hold })
			return nil, nil, false
		})
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		k.Close(ctx)
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("Close took %v with a deadline of 1s", took)
		}
		close(hold)
	})
}

// TestARevokedPartitionStartsAfresh: an unfinished record must not hold the partition when it comes back.
func TestARevokedPartitionStartsAfresh(t *testing.T) {
	k := Broker{guard: batches.NewGuard(batchBytes), spans: kotelSpans{}}
	ended := k.windows.open(&kgo.Record{Topic: "t", Partition: 3}).ended
	ended(false)
	k.revoked(t.Context(), nil, map[string][]int32{"t": {3}})
	if n := len(k.windows.byPartition); n != 0 {
		t.Errorf("%d windows are kept, want none", n)
	}
}

func TestDrainSaysWhatItLeaves(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(context.Context, string, *orderpb.Event) error { time.Sleep(time.Minute); return nil })
		b.produce("key", event("slow"))
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := k.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "come again") {
			t.Errorf("Drain: %v, want the deadline's error, and what becomes of the message", err)
		}
		k.Close(ctx)
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("Drain and Close took %v with a deadline of 1s", took)
		}
		if b.uncommitted() != 1 {
			t.Errorf("%d not committed, want the one in work", b.uncommitted())
		}
		time.Sleep(time.Minute) // the work ends
	})
}

func TestABrokerThatIsAway(t *testing.T) {
	carriertest.InBubble(t, func(b *carriertest.Bubble) {
		begin := time.Now()
		_, err := Open(b.Context(), Config{BrokerConfig: carrier.BrokerConfig{
			Service: "payment", Addresses: []string{"127.0.0.1:9"}, Consume: []string{"orders"}, Workers: 1, Dial: b.Dial, Provider: b.Provider,
		}})
		if err == nil || !strings.Contains(err.Error(), "127.0.0.1:9") || !strings.Contains(err.Error(), "--kafka") {
			t.Errorf("open: %v, want an error with the address and what to do", err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("it took %v to say so, want at most 5s", took)
		}
	})
}

// TestABrokerThatGoesAway cannot hold a service up beyond its deadline, not even one that is in the middle of handing on.
func TestABrokerThatGoesAway(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var k *Broker
		ended := make(chan error, 1)
		k = b.open(func(ctx context.Context, _ string, e *orderpb.Event) error {
			time.Sleep(time.Second)
			err := k.Publish(ctx, "answers", e)
			ended <- err
			return fmt.Errorf("%w: %w", carrier.ErrUnfinished, err)
		})
		b.produce("key", event("a"))
		time.Sleep(500 * time.Millisecond)
		b.cluster.Close()
		time.Sleep(5 * time.Second)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(b.Context(), 2*time.Second)
		defer cancel()
		if err := k.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v, want the deadline's error", err)
		}
		k.Close(ctx)
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("Drain and Close took %v with a deadline of 2s", took)
		}
		if err := <-ended; err == nil {
			t.Error("Publish without a broker: no error")
		}
	})
}
