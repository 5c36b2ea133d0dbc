package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/broker/brokertest"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/carrier/carriertest"
	"tracelab/services/internal/orderpb"
)

// event is the JSON of an event of an order.
func event(id string) string { return fmt.Sprintf(`{"order":{"id":%q},"steps":["orders.Accept"]}`, id) }

func TestUndecodableRecordsAreSkipped(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.open(func(_ context.Context, topic string, e *orderpb.Event) error {
			if topic != "orders" {
				t.Errorf("topic %q, want it without the prefix", topic)
			}
			got.add(e)
			return nil
		})
		bad := []string{"", "{", "\xff\x00", `{"order":{"id":7}}`, `{"order":{"id":"x"},"colour":"red"}`, `{"steps":["orders.Accept"]}`, "[]"}
		b.produce("key", append(bad, event("good"))...)
		time.Sleep(time.Second)
		if ids := got.all(); !slices.Equal(ids, []string{"good"}) {
			t.Errorf("handled %v, want the good record behind the bad ones on the same partition", ids)
		}
		if n := k.Skipped(); n != int64(len(bad)) {
			t.Errorf("%d counted as skipped, want %d", n, len(bad))
		}
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 0 {
			t.Errorf("%d records are not committed: the bad ones would come again", left)
		}
		if dead := b.records("run7.orders.dlq"); len(dead) != len(bad) || string(dead[6].Value) != "[]" || headerOf(dead[6], carrier.HeaderOriginOffset) != "6" ||
			headerOf(dead[6], carrier.HeaderErrorType) != carrier.Undecodable {
			t.Errorf("%d dead letters, want %d, each with its place: %+v", len(dead), len(bad), dead)
		}
		lines := b.Log.Lines("message skipped")
		if len(lines) != len(bad) {
			t.Errorf("%d lines in the log, want %d", len(lines), len(bad))
		}
		for offset, line := range lines {
			if !strings.Contains(line, "topic=run7.orders") || !strings.Contains(line, fmt.Sprintf("offset=%d ", offset)) || !strings.Contains(line, "partition=") {
				t.Errorf("log: want topic, partition and offset %d: %s", offset, line)
			}
		}
		marked := 0
		for _, span := range b.Named("process orders") {
			if carriertest.Attribute(span, "error.type") == "undecodable" {
				marked++
			}
		}
		if marked != len(bad) {
			t.Errorf("%d process spans with error.type undecodable, want %d", marked, len(bad))
		}
	})
}

// TestABatchThatDecompressesToTooMuchIsSkipped without being decompressed, and so is a message that is too large; the
// next one is handled.
func TestABatchThatDecompressesToTooMuchIsSkipped(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		// Not zstd: kgo closes its zstd coders in finalizers, which run outside of the bubble and must not close a channel of it.
		client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.Dial), kgo.DisableClientMetrics(),
			kgo.ProducerBatchCompression(kgo.GzipCompression()), kgo.ProducerBatchMaxBytes(64<<20))
		b.Must(err)
		defer client.Close()
		for _, value := range [][]byte{make([]byte, 32<<20), []byte(event(strings.Repeat("x", carrier.MaxBody))), []byte(event("good"))} {
			b.Must(client.ProduceSync(b.Context(), &kgo.Record{Topic: "run7.orders", Key: []byte("key"), Value: value}).FirstErr())
		}
		time.Sleep(5 * time.Second)
		if ids := got.all(); !slices.Equal(ids, []string{"good"}) || k.Skipped() != 2 {
			t.Errorf("handled %v, skipped %d, want the good one, and 2", ids, k.Skipped())
		}
		if n := len(b.Log.Lines("their batch is damaged, or decompresses to more")); n != 1 {
			t.Errorf("%d lines about the batch, want one", n)
		}
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 0 {
			t.Errorf("%d not committed: the bad ones would come again", left)
		}
	})
}

// packed is a compressor that gives the same batch whatever it is to compress.
type packed struct {
	batch []byte
	codec kgo.CompressionCodecType
}

// Compress implements kgo.Compressor.
func (p packed) Compress(_ *bytes.Buffer, content []byte, _ ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	if p.codec != kgo.CodecZstd {
		return p.batch, p.codec
	}
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(2<<20)) // the options are right
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes(), p.codec
}

// TestADamagedBatchDoesNotStopItsPartition: one that cannot be decompressed is skipped, once. One of zstd with a window of 2 MiB, as Java's
// clients write it, is read.
func TestADamagedBatchDoesNotStopItsPartition(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		for i, batch := range []packed{{[]byte("no gzip"), kgo.CodecGzip}, {[]byte("no lz4"), kgo.CodecLz4}, {[]byte("\xff\xff\xff\xff\x0f"), kgo.CodecSnappy}, {nil, kgo.CodecZstd}} {
			client, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.Dial), kgo.DisableClientMetrics(), kgo.WithCompressor(batch))
			b.Must(err)
			b.Must(client.ProduceSync(b.Context(), &kgo.Record{Topic: "run7.orders", Key: []byte("key"), Value: []byte(event(fmt.Sprint("order ", i)))}).FirstErr())
			client.Close()
		}
		b.produce("key", event("good"))
		time.Sleep(5 * time.Second)
		if ids := slices.Sorted(slices.Values(got.all())); !slices.Equal(ids, []string{"good", "order 3"}) || k.Skipped() != 3 || len(b.Log.Lines("their batch is damaged")) != 3 {
			t.Errorf("handled %v, skipped %d: %v, want the two that can be read, and 3", ids, k.Skipped(), b.Log.Lines("skipped"))
		}
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 0 {
			t.Errorf("%d not committed: the bad ones would come again", left)
		}
	})
}

// TestDamagedBatchesOnAllPartitions come in fetches that follow each other, as of a producer that breaks all that it writes: each costs itself alone, and nothing
// is handled twice.
func TestDamagedBatchesOnAllPartitions(t *testing.T) {
	withKafka(t, func(b *bubble) {
		const rounds = 5
		var got handled
		k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		partitions := 0
		b.admin(func(_ *kgo.Client, admin *kadm.Client) {
			topics, err := admin.ListTopics(b.Context(), "run7.orders")
			b.Must(err)
			partitions = len(topics["run7.orders"].Partitions)
		})
		var want []string
		for round := range rounds {
			for id := range partitions {
				brokertest.Damage(b.T, "run7.orders", int32(id), kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.Dial))
				order := fmt.Sprintf("order %d.%d", round, id)
				want = append(want, order)
				b.produce(order, event(order))
			}
		}
		time.Sleep(time.Minute)
		if ids := slices.Sorted(slices.Values(got.all())); !slices.Equal(ids, want) || k.Skipped() != int64(rounds*partitions) {
			t.Errorf("handled %v, skipped %d, want %v, and %d of %d partitions", ids, k.Skipped(), want, rounds*partitions, partitions)
		}
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 0 {
			t.Errorf("%d not committed", left)
		}
	})
}

func TestUnfinishedMessagesComeAgain(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			if e.GetOrder().GetId() == "b" {
				return fmt.Errorf("%w: nobody took the next message", carrier.ErrUnfinished)
			}
			return errors.New("a failure that is none of the broker's business")
		})
		b.produce("key", event("a"), event("b"), event("c"))
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if left := b.uncommitted(); left != 2 {
			t.Errorf("%d not committed, want 2: the unfinished and the one behind it", left)
		}
		var again handled
		k = b.open(func(_ context.Context, _ string, e *orderpb.Event) error { again.add(e); return nil })
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if ids := again.all(); !slices.Equal(ids, []string{"b", "c"}) || b.uncommitted() != 0 {
			t.Errorf("the second time handled %v, %d not committed: want b and c, all committed", ids, b.uncommitted())
		}
	})
}

func TestAPanicFailsOneMessage(t *testing.T) {
	withKafka(t, func(b *bubble) {
		var got handled
		k := b.open(func(_ context.Context, _ string, e *orderpb.Event) error {
			if e.GetOrder().GetId() == "bad" {
				panic("bug")
			}
			got.add(e)
			return nil
		})
		b.produce("key", event("bad"), event("good"))
		time.Sleep(time.Second)
		b.drainAndClose(k)
		if !slices.Equal(got.all(), []string{"good"}) || b.uncommitted() != 0 || len(b.Log.Lines("handler panicked")) != 1 {
			t.Errorf("handled %v, %d not committed, %d lines about the panic: want good, 0, 1", got.all(), b.uncommitted(), len(b.Log.Lines("handler panicked")))
		}
		if kind := carriertest.Attribute(b.Named("process orders")[0], "error.type"); kind != carrier.Internal {
			t.Errorf("error.type %q on the span of the panic, want %q", kind, carrier.Internal)
		}
	})
}

func TestAFailedCommitIsMadeUpFor(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: 3})
		b.produce("key", event("a"))
		time.Sleep(150 * time.Millisecond)
		if left := b.uncommitted(); left != 1 || fault.Hits() == 0 {
			t.Fatalf("%d not committed after %d failures: the test shows nothing", left, fault.Hits())
		}
		time.Sleep(time.Second)
		if left := b.uncommitted(); left != 0 || len(b.Log.Lines("commit failed")) != 1 || fault.Hits() != 3 {
			t.Errorf("%d not committed and %d warnings after %d failures, want 0 and 1 after 3", left, len(b.Log.Lines("commit failed")), fault.Hits())
		}
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: -1})
		b.produce("key", event("b"))
		time.Sleep(50 * time.Millisecond)
		if err := k.Drain(b.Context()); err == nil || !strings.Contains(err.Error(), "not committed") {
			t.Errorf("Drain: %v, want an error that says what is not committed", err)
		}
		k.Close(b.Context())
	})
}

// TestARebalanceLosesNothing: a second member takes partitions over in mid-work. In real time, because the client
// keeps commits back by a mutex meanwhile, which stops virtual time.
func TestARebalanceLosesNothing(t *testing.T) {
	t.Parallel()
	b := &bubble{Bubble: carriertest.New(t, net.Listen, (&net.Dialer{}).DialContext)}
	var err error
	b.cluster, err = kfake.NewCluster(kfake.NumBrokers(1))
	b.Must(err)
	defer b.cluster.Close()
	var got, want handled
	there := make(chan struct{}) // the second member is: until then the first one handles a quarter of the records and has more in work
	handle := func(_ context.Context, _ string, e *orderpb.Event) error {
		if len(got.all()) >= 40 {
			<-there
		}
		time.Sleep(10 * time.Millisecond)
		got.add(e)
		return nil
	}
	first := b.open(handle)
	for n := range 160 {
		id := fmt.Sprintf("%03d", n)
		want.ids = append(want.ids, id)
		b.produce(id, event(id))
	}
	second := b.open(handle)
	close(there)
	for deadline := time.Now().Add(20 * time.Second); len(got.all()) < 160 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	b.drainAndClose(first)
	b.drainAndClose(second)
	if diff := cmp.Diff(want.all(), got.all()); diff != "" || b.uncommitted() != 0 {
		t.Errorf("%d not committed, want 0; handled, want each once (-want +got):\n%s", b.uncommitted(), diff)
	}
}

func TestPublish(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(nil)
		defer func() { k.Close(context.Background()) }()
		order := &orderpb.Order{Id: "a"}
		b.Must(k.Publish(b.Context(), "orders", &orderpb.Event{Order: order, Steps: []string{"orders.Accept"}}))
		hold := make(chan struct{})
		b.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			b.cluster.SleepControl(func() { <-hold })
			return nil, nil, false
		})
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		err := k.Publish(ctx, "orders", &orderpb.Event{Order: order, Steps: []string{"orders.Accept"}})
		if failed, ok := errors.AsType[*carrier.Failed](err); !ok || failed.Reason() != carrier.Unavailable || !strings.Contains(err.Error(), "yet") {
			t.Errorf("Publish without an acknowledgement in time: %v, want %s, and that the outcome is open", err, carrier.Unavailable)
		}
		close(hold)
		synctest.Wait()
		if n := b.uncommitted(); n != 2 {
			t.Errorf("%d records at the broker, want 2: the one without an acknowledgement was on its way", n)
		}
		b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge})
		err = k.Publish(b.Context(), "orders", &orderpb.Event{Order: order})
		if failed, ok := errors.AsType[*carrier.Failed](err); !ok || failed.Reason() != carrier.MessageRefused || !strings.Contains(err.Error(), "refuses the message") {
			t.Errorf("Publish that the broker refuses: %v, want %s", err, carrier.MessageRefused)
		}
	})
}

func TestRemoveTopics(t *testing.T) {
	withKafka(t, func(b *bubble) {
		k := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		b.produce("key", event("a"))
		time.Sleep(time.Second)
		b.drainAndClose(k)
		remove := func() error {
			return RemoveTopics(b.Context(), b.Dial, b.cluster.ListenAddrs(), "run7.", []string{"orders", "answers"}, []string{"test"})
		}
		b.Must(remove())
		if info := b.cluster.TopicInfo("run7.orders"); info != nil {
			t.Errorf("%+v is still there", info)
		}
		if err := remove(); err != nil {
			t.Errorf("nothing there to remove: %v, want no error", err)
		}
	})
}
