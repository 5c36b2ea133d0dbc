package watch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"
)

const (
	fetchWait      = 250 * time.Millisecond // for which a fetch that began before a partition came withholds its records
	mostBackoff    = 500 * time.Millisecond // between attempts to reach a broker that is away
	metadataMinAge = 250 * time.Millisecond // so that a new leader is found soon
	metadataMaxAge = 30 * time.Second       // so that new partitions of the input are found
	sessionTimeout = 30 * time.Second       // for a killed watcher to come back to its partitions, before others get them
	heartbeat      = 3 * time.Second
	linger         = 5 * time.Millisecond // of writes: a span's record has some 300 bytes
	logInterval    = 10 * time.Second     // between log lines about a broker that cannot be reached
)

// client makes a client of the broker. Its connections end with life.
func (w *watcher) client(life context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		kgo.WithContext(life),
		kgo.SeedBrokers(w.config.Kafka...),
		kgo.ClientID("tracelab-watch"),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), // a trace's place is ours to choose
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
	return kgo.NewClient(append(all, opts...)...)
}

// trouble says that the broker cannot be reached; the clients try again.
type trouble struct {
	log   *slog.Logger
	fail  func(error)
	often rate.Sometimes
}

// OnBrokerConnect is called after each attempt to connect.
func (t *trouble) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) {
		t.say("kafka cannot be reached; trying again", "broker", net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port))), "error", err)
	}
}

// OnGroupManageError is called when a membership of a group has ended.
func (t *trouble) OnGroupManageError(err error) {
	if errors.Is(err, kerr.FencedInstanceID) {
		t.fail(errors.New("another watcher of the group has the same --instance: give each a name of its own"))
		return
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, kgo.ErrClientClosed) {
		t.say("the consumer group has lost this watcher; joining again", "error", err)
	}
}

func (t *trouble) say(message string, args ...any) {
	t.often.Do(func() { t.log.Warn(message, args...) })
}
