package otelkgo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Refused commits and transactions of consumer groups. See rebalance_test.go for
// lost partitions.

func TestRefusedCommit(t *testing.T) {
	inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
		cl := b.member("shipping", kgo.ConsumeTopics("orders", "stock"))
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		b.poll(cl, 1)
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "stock", Err: kerr.OffsetMetadataTooLarge, Count: -1})
		err := b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{
			"orders": {0: {Epoch: -1, Offset: 1}}, "stock": {0: {Epoch: -1, Offset: 0}, 1: {Epoch: -1, Offset: 0}},
		})
		if !errors.Is(err, kerr.OffsetMetadataTooLarge) || !strings.Contains(err.Error(), "stock partition 1") || strings.Contains(err.Error(), "orders") {
			t.Errorf("error %v, want one that names the partitions of stock", err)
		}
		b.wantErrorTypes(map[string]string{"commit orders": "", "commit stock": "OFFSET_METADATA_TOO_LARGE"})
	})
}

func TestCommitWithoutGroup(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.client()
		defer cl.Close()
		if err := b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"orders": {0: {}}}); err == nil {
			t.Error("a client without a group has committed")
		}
		b.must(b.in.CommitOffsets(b.Context(), cl, nil))
	})
}

func TestTransactions(t *testing.T) {
	inBubble(t, []string{"orders", "stock"}, func(b *bubble) {
		producer := b.client()
		defer producer.Close()
		for _, id := range []string{"1", "2"} {
			ctx, server := b.order(id)
			b.produce(ctx, producer, &kgo.Record{Topic: "orders", Value: []byte("{}")})
			server.End()
		}
		session, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.net.DialContext), kgo.WithHooks(b.in.Hooks()...),
			kgo.ClientID("session"), kgo.ConsumerGroup("inventory"), kgo.TransactionalID("inventory-1"), kgo.ProducerLinger(0),
			kgo.ConsumeTopics("orders"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		b.must(err)
		defer session.Close()
		round := func(end kgo.TransactionEndTry) {
			b.must(session.Begin())
			for _, r := range b.poll(session.Client(), 1) {
				b.must(b.in.Process(b.Context(), r, func(ctx context.Context, r *kgo.Record) error {
					return session.ProduceSync(ctx, b.in.Forward(ctx, r, "stock")).FirstErr()
				}))
			}
			committed, err := b.in.EndTransaction(b.Context(), session, end)
			b.must(err)
			if committed != bool(end) {
				t.Errorf("committed %t, want %t", committed, end)
			}
		}
		round(kgo.TryAbort) // settles nothing, so the next round has both records again
		round(kgo.TryCommit)
		b.golden("transaction")
		if got := session.Client().CommittedOffsets()["orders"][0].Offset; got != 2 {
			t.Errorf("committed at %d, want 2", got)
		}
	})
}

// A transaction that may not commit settles nothing, and its spans say so.
func TestAbortedTransaction(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		producer := b.client()
		defer producer.Close()
		b.produce(b.Context(), producer, &kgo.Record{Topic: "orders"})
		session, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.net.DialContext), kgo.WithHooks(b.in.Hooks()...),
			kgo.ConsumerGroup("inventory"), kgo.TransactionalID("inventory-1"), kgo.ConsumeTopics("orders"))
		b.must(err)
		defer session.Close()
		b.must(session.Begin())
		b.process(b.poll(session.Client(), 1)[0])
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration, Count: -1})
		committed, err := b.in.EndTransaction(b.Context(), session, kgo.TryCommit)
		if committed || err != nil {
			t.Errorf("committed %t, %v; want an abort without an error", committed, err)
		}
		b.wantErrorTypes(map[string]string{"commit orders": "transaction_aborted"})
	})
}

// wantErrorTypes checks error.type, and the status that goes with it, by span name.
func (b *bubble) wantErrorTypes(want map[string]string) {
	b.Helper()
	found := map[string]bool{}
	for _, s := range b.spans.Ended() {
		w, ok := want[s.Name()]
		if !ok {
			continue
		}
		found[s.Name()] = true
		if got := attributeOf(s, "error.type"); got != w {
			b.Errorf("%s has error.type %q, want %q", s.Name(), got, w)
		}
		if failed := s.Status().Code.String() == "Error"; failed != (w != "") || s.Status().Code.String() == "Ok" {
			b.Errorf("%s has status %v", s.Name(), s.Status())
		}
	}
	if len(found) != len(want) {
		b.Errorf("spans %v found, want %v", found, want)
	}
}

func attributeOf(s sdktrace.ReadOnlySpan, key string) string {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return a.Value.AsString()
		}
	}
	return ""
}
