package watch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"tracelab/internal/batches"
	"tracelab/internal/offsets"
)

const (
	fetchWait      = 250 * time.Millisecond // maximum wait of a fetch; a partition that is assigned during one waits for it
	mostBackoff    = 500 * time.Millisecond // maximum time between attempts to reach a broker
	metadataMinAge = 250 * time.Millisecond // a new leader is found this soon
	metadataMaxAge = 30 * time.Second       // new partitions of the input are found this soon
	sessionTimeout = 30 * time.Second       // a killed watcher keeps its partitions this long if it restarts under its name
	heartbeat      = 3 * time.Second        // between heartbeats to the group's coordinator
	linger         = 5 * time.Millisecond   // of writes, to batch them: the record of a span has about 300 bytes
	batchBytes     = 64 << 20               // maximum of a batch of records, decompressed: the Collector's have some 100 KiB
	logInterval    = 10 * time.Second       // minimum time between log lines about the broker
)

// client creates a Kafka client with a guard. Its connections end with the context life.
func (w *watcher) client(life context.Context, guard *batches.Guard, opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		kgo.WithContext(life),
		kgo.SeedBrokers(w.config.Kafka...),
		kgo.ClientID("tracelab-watch"),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), // record.Partition chooses
		kgo.ProducerLinger(linger),
		kgo.FetchMaxWait(fetchWait),
		kgo.MetadataMinAge(metadataMinAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.RetryBackoffFn(func(failures int) time.Duration { return min(mostBackoff, 10*time.Millisecond<<min(failures, 10)) }),
		kgo.DisableClientMetrics(),
		kgo.WithHooks(&w.trouble),
	}
	if w.config.Dial != nil {
		all = append(all, kgo.Dialer(w.config.Dial))
	}
	return kgo.NewClient(slices.Concat(all, guard.Options(), opts)...)
}

// trouble logs problems with the broker, at most one line every logInterval. The clients retry by themselves.
type trouble struct {
	log   *slog.Logger
	fail  func(error)
	often rate.Sometimes
	gone  offsets.Deleted
}

// OnBrokerConnect is called after each attempt to connect.
func (t *trouble) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) {
		t.say("kafka cannot be reached; trying again", "broker", net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port))), "error", err)
	}
}

// OnGroupManageError is called when the membership in a group ends with an error.
func (t *trouble) OnGroupManageError(err error) {
	if errors.Is(err, kerr.FencedInstanceID) {
		t.fail(errors.New("another watcher of the group has the same --instance: give each a name of its own"))
		return
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) {
		t.say("the consumer group has lost this watcher; joining again", "error", err)
	}
}

// skipped logs a batch that cannot be decompressed, each one.
func (t *trouble) skipped(topic string, partition int32, bad *kgo.ErrDecompressTooLarge) {
	t.log.Error("records skipped: their batch is damaged, or decompresses to more than a watcher takes", "topic", topic, "partition", partition,
		"offset", bad.Offset, "next_offset", bad.NextOffset, "limit_bytes", batchBytes)
}

// fetchFailed takes the error of a fetch; the client retries it. A topic that was deleted and created again has another id, which the client never takes:
// the watcher ends, and begins anew with the new topic when it is started again.
func (t *trouble) fetchFailed(topic string, partition int32, err error) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	if gone := t.gone.Saw(topic, err); gone != nil {
		t.fail(gone)
		return
	}
	t.say("kafka fetch failed; trying again", "topic", topic, "partition", partition, "error", err)
}

// say logs a warning, unless one was logged within logInterval.
func (t *trouble) say(message string, args ...any) {
	t.often.Do(func() { t.log.Warn(message, args...) })
}
