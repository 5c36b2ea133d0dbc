// Package readback reads the summaries that a group of watchers wrote, and measures each journey once.
//
// The readers of a group share the partitions of the topic. A reader that gets a partition counts summaries from the last commit on. It first
// reads the last summaries before the commit, without counting them, so that a summary which was written twice still counts once.
//
// Metrics are sums in a process, and a commit is a promise to Kafka, so no transaction spans both. A reader commits what is in an export that was taken,
// see Exported. After a kill the next reader counts what no export had, so that nothing is missing. What the last export had counts twice if the kill came
// between that export and its commit, which takes milliseconds; a partition that goes to another reader because this one's session ended while it lives
// (it was paused) is the other case: up to one export interval of its journeys is in the metrics of both. Where Kafka alone was away, what was counted is
// committed before the partitions are given up; and a reader never counts twice what it had before.
package readback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"tracelab/internal/batches"
	"tracelab/internal/offsets"
	"tracelab/watch/measure"
	"tracelab/watch/summary"
)

const (
	remembered     = 10_000           // summaries before the last commit that are read for their keys
	commitInterval = time.Second      // between attempts to commit again what could not be committed
	commitTimeout  = 2 * time.Second  // the next export waits for a commit
	flushTimeout   = 5 * time.Second  // of the export before partitions go
	leaveTimeout   = 2 * time.Second  // to leave the group
	sessionTimeout = 30 * time.Second // a killed reader keeps its partitions this long if it restarts under its name
	metadataMaxAge = 5 * time.Second  // a topic that is created after the reader's start is found this soon
	answerTimeout  = 10 * time.Second // for the broker's answers
	batchBytes     = 64 << 20         // maximum of a batch of summaries, decompressed
	logInterval    = 10 * time.Second // minimum time between log lines
)

// Config says what to read.
type Config struct {
	Kafka  []string       // addresses of the brokers, host:port
	Topic  string         // the topic of the summaries
	Group  string         // the consumer group of the readers
	Meter  *measure.Meter // counts the summaries
	Logger *slog.Logger   // nil: no log

	// Instance is the reader's name in the group: when it was killed and comes back under it, it has its partitions at once. "" for none: then others wait for
	// its session to end.
	Instance string
	// Flush exports what was counted, before partitions go to another reader: it is lost to all if this one is killed before its next export.
	Flush func(context.Context) error // nil: no export
	// Fail is told that the topic was deleted: this reader gets nothing of one that is made again.
	Fail func(error) // nil: it is logged, again and again
}

// Reader is one reader of the group.
type Reader struct {
	config Config
	client *kgo.Client
	guard  *batches.Guard
	admin  *kadm.Client
	often  rate.Sometimes
	began  time.Time
	gone   offsets.Deleted

	commits sync.Mutex // held during a commit, or an older one could overtake a newer one

	mu        sync.Mutex
	from      map[int32]int64 // by partition: the first offset that counts
	first     map[int32]bool  // partitions of which the group has no commit
	after     map[int32]int64 // by partition: the next offset to count
	collected map[int32]int64 // after, at the last collection that had all
	owed      map[int32]int64 // by partition: the offset to commit
	own       map[int32]int64 // by partition that this reader had before: what it counted of it is before that offset, committed or not
	closing   bool            // what is not exported by now is for the next reader
	ended     chan struct{}
	reading   context.Context // until Drain or Close
	stop      context.CancelFunc
}

// Start starts a reader in the background. A new group begins with the summaries that are written from now on. Drain and Close end it.
func Start(config Config) (*Reader, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Reader{config: config, guard: batches.NewGuard(batchBytes), often: rate.Sometimes{First: 1, Interval: logInterval}, began: time.Now(), ended: make(chan struct{}),
		from: map[int32]int64{}, first: map[int32]bool{}, after: map[int32]int64{}, owed: map[int32]int64{}, own: map[int32]int64{}}
	options := append(r.guard.Options(),
		kgo.SeedBrokers(config.Kafka...), kgo.ClientID("tracelab-watch-metrics"), kgo.DisableClientMetrics(), kgo.MetadataMaxAge(metadataMaxAge),
		kgo.ConsumerGroup(config.Group), kgo.ConsumeTopics(config.Topic), kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.SessionTimeout(sessionTimeout),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll(), kgo.DisableAutoCommit(),
		kgo.AdjustFetchOffsetsFn(r.lookBack),
		kgo.OnPartitionsRevoked(r.handOn), kgo.OnPartitionsLost(r.lose),
	)
	if config.Instance != "" {
		options = append(options, kgo.InstanceID(config.Instance))
	}
	r.reading, r.stop = context.WithCancel(context.Background())
	r.mu.Lock() // the client asks where to begin as soon as it is made, before this function has it
	defer r.mu.Unlock()
	var err error
	r.client, err = kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("read summaries back: kafka client: %w", err)
	}
	r.admin = kadm.NewClient(r.client)
	config.Meter.OnCollect(r.collect)
	go r.read(r.reading)
	return r, nil
}

// read counts what comes, until the context ends.
func (r *Reader) read(ctx context.Context) {
	defer close(r.ended)
	tried := time.Now()
	for ctx.Err() == nil {
		fetches := r.poll(ctx)
		fetches.EachRecord(r.take)
		fetches.EachError(r.failed)
		r.client.AllowRebalance()
		if time.Since(tried) >= commitInterval {
			tried = time.Now()
			r.commit(ctx)
		}
	}
}

// poll waits for records, but no longer than a commit waits that could not be made.
func (r *Reader) poll(ctx context.Context) kgo.Fetches {
	ctx, cancel := context.WithTimeout(ctx, commitInterval)
	defer cancel()
	return r.client.PollFetches(ctx)
}

// failed goes on behind a batch that cannot be decompressed. It logs all other errors of a fetch; the client retries it.
func (r *Reader) failed(topic string, partition int32, err error) {
	bad, gone := r.guard.Skip(topic, partition, err), r.gone.Saw(topic, err)
	switch {
	case bad != nil:
		r.say("summaries skipped: their batch cannot be decompressed", fmt.Errorf("%s, partition %d, offset %d: %w", topic, partition, bad.Offset, err))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.after[partition] = bad.NextOffset
	case gone != nil && r.config.Fail != nil:
		r.config.Fail(gone)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		r.say("summaries cannot be read; trying again", err)
	}
}

// take counts one record, or remembers its key where another reader counted it, or this one when it had the partition before.
func (r *Reader) take(record *kgo.Record) {
	r.mu.Lock()
	from := max(r.from[record.Partition], r.own[record.Partition])
	r.mu.Unlock()
	s, err := summary.Parse(record.Value)
	switch {
	case err != nil:
		r.say("a record is no summary", err)
	case record.Offset < from:
		r.config.Meter.Know(record.Partition, s.TraceID())
	default:
		r.config.Meter.Count(record.Partition, &s)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after[record.Partition] = record.Offset + 1
}

// lookBack moves the start of partitions back, to some summaries before the last commit.
func (r *Reader) lookBack(ctx context.Context, places map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	r.mu.Lock()
	admin := r.admin
	r.mu.Unlock()
	starts, err := admin.ListStartOffsets(ctx, r.config.Topic)
	if err != nil {
		return nil, fmt.Errorf("ask where %s begins: %w", r.config.Topic, err)
	}
	begins, err := offsets.Since(ctx, admin, r.began, r.config.Topic)
	if err != nil {
		return nil, err
	}
	committed, err := admin.FetchOffsetsForTopics(ctx, r.config.Group, r.config.Topic)
	if err != nil {
		return nil, fmt.Errorf("ask what the group %s has read: %w", r.config.Group, err)
	}
	ends, err := admin.ListEndOffsets(ctx, r.config.Topic)
	if err != nil {
		return nil, fmt.Errorf("ask where %s ends: %w", r.config.Topic, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition := range places[r.config.Topic] {
		if end, known := ends.Lookup(r.config.Topic, partition); known && end.Err == nil && end.Offset < r.own[partition] {
			delete(r.own, partition) // the topic was made anew
		}
		last, has := committed.Lookup(r.config.Topic, partition)
		start, known := starts.Lookup(r.config.Topic, partition)
		if !known || start.Err != nil {
			continue
		}
		if has = has && last.Err == nil && last.At >= 0; !has {
			begin, known := begins.Lookup(r.config.Topic, partition)
			if !known || begin.Err != nil {
				return nil, fmt.Errorf("ask where partition %d of %s was at the start: %w", partition, r.config.Topic, begin.Err)
			}
			r.first[partition], r.from[partition], r.after[partition] = true, begin.Offset, begin.Offset
			places[r.config.Topic][partition] = kgo.NewOffset().At(begin.Offset)
			continue
		}
		r.from[partition] = max(start.Offset, last.At)
		places[r.config.Topic][partition] = kgo.NewOffset().At(max(start.Offset, last.At-remembered))
	}
	return places, nil
}

// forget drops partitions that other readers have now. What was counted of them stays in this process's metrics, so that this reader does not count it again
// when they come back before a commit: they are lost, and come back, whenever Kafka restarts.
func (r *Reader) forget(gone map[string][]int32) {
	r.guard.Forget(gone)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, partition := range gone[r.config.Topic] {
		r.own[partition] = max(r.own[partition], r.after[partition])
		delete(r.from, partition)
		delete(r.first, partition)
		delete(r.after, partition)
		delete(r.collected, partition)
		delete(r.owed, partition)
		r.config.Meter.Forget(partition)
	}
}

func (r *Reader) say(what string, err error) {
	r.often.Do(func() { r.config.Logger.Warn(what, "topic", r.config.Topic, "error", err) })
}

// Drain reads up to the current end of the topic, as far as the context allows, and ends reading. Export the metrics then, and Close.
func (r *Reader) Drain(ctx context.Context) error {
	err := r.awaitEnd(ctx)
	r.stop()
	<-r.ended
	return err
}

// Close leaves the group. The next reader counts what was not exported.
func (r *Reader) Close() {
	r.stop()
	<-r.ended
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	if r.config.Instance != "" { // Kafka would keep its place for the session
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
		defer cancel()
		if _, err := r.admin.LeaveGroup(ctx, kadm.LeaveGroup(r.config.Group).InstanceIDs(r.config.Instance)); err != nil {
			r.say("the group keeps the place of this reader until its session ends", err)
		}
	}
	r.client.CloseAllowingRebalance()
}

// awaitEnd waits until the partitions of this reader are read to their current ends.
func (r *Reader) awaitEnd(ctx context.Context) error {
	ends, err := r.admin.ListEndOffsets(ctx, r.config.Topic)
	if err != nil {
		return fmt.Errorf("ask where %s ends: %w", r.config.Topic, err)
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !r.reached(ends) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil // the next reader of the group counts the rest
		}
	}
	return nil
}

// reached reports whether nothing is left to read of the partitions of which something was read.
func (r *Reader) reached(ends kadm.ListedOffsets) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition, after := range r.after {
		if end, ok := ends.Lookup(r.config.Topic, partition); ok && after < end.Offset {
			return false
		}
	}
	return true
}
