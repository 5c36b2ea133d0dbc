package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Queue is a span processor that hands ended spans to an exporter in batches and accounts for every one of them:
// started = exported + dropped once everything has ended and the queue is shut down. The SDK's own batch processor
// drops without saying how many. One queue serves all the providers of a process; whoever made it shuts it down.
type Queue struct {
	exporter sdktrace.SpanExporter
	config   QueueConfig
	spans    chan sdktrace.ReadOnlySpan
	flush    chan chan struct{}
	stopping chan struct{} // closed when no more spans are taken
	drained  chan struct{} // closed when the worker has ended
	stop     sync.Once
	accept   sync.RWMutex // held while a span is put in, so that stopping cannot overtake it

	started, exported, dropped atomic.Int64
	lastLog                    time.Time // worker only
}

// QueueConfig says how a queue behaves.
type QueueConfig struct {
	Size     int           // spans that wait at the most; 0 is 8192
	Batch    int           // spans in an export at the most; 0 is 512
	Interval time.Duration // after which a smaller batch goes out; 0 is 200 ms
	Timeout  time.Duration // of one export; 0 is 10 s
	// Wait makes a full queue hold the span's owner up instead of dropping: for an exporter in the same process, which
	// cannot be slow. Over a network it stays false, or a collector that is away would stop the orders.
	Wait   bool
	Logger *slog.Logger // says that spans were dropped, once a minute at the most
}

// Counts are the spans that a queue has seen. While spans are open or waiting, Started is the larger side.
type Counts struct {
	Started  int64 `json:"started"`
	Exported int64 `json:"exported"`
	Dropped  int64 `json:"dropped"`
}

// NewQueue starts a queue in front of an exporter.
func NewQueue(exporter sdktrace.SpanExporter, config QueueConfig) *Queue {
	if config.Size == 0 {
		config.Size = 8192
	}
	if config.Batch == 0 {
		config.Batch = 512
	}
	if config.Interval == 0 {
		config.Interval = 200 * time.Millisecond
	}
	if config.Timeout == 0 {
		config.Timeout = 10 * time.Second
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue{
		exporter: exporter, config: config,
		spans: make(chan sdktrace.ReadOnlySpan, config.Size), flush: make(chan chan struct{}),
		stopping: make(chan struct{}), drained: make(chan struct{}),
	}
	go q.work()
	return q
}

// Counts reads the sums.
func (q *Queue) Counts() Counts {
	return Counts{Started: q.started.Load(), Exported: q.exported.Load(), Dropped: q.dropped.Load()}
}

// OnStart counts a sampled span.
func (q *Queue) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	if s.SpanContext().IsSampled() {
		q.started.Add(1)
	}
}

// OnEnd puts a sampled span into the queue, or counts it as dropped.
func (q *Queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	q.accept.RLock()
	defer q.accept.RUnlock()
	select {
	case <-q.stopping:
		q.dropped.Add(1)
		return
	default:
	}
	if q.config.Wait {
		q.spans <- s // the worker runs until stopping is closed, which waits for accept
		return
	}
	select {
	case q.spans <- s:
	default:
		q.dropped.Add(1)
	}
}

// ForceFlush exports what has ended before the call.
func (q *Queue) ForceFlush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case q.flush <- done:
	case <-q.drained:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("flush spans: %w", context.Cause(ctx))
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("flush spans: %w", context.Cause(ctx))
	}
}

// Shutdown takes no more spans, exports those it has and shuts the exporter down. When the context ends first, what is
// left is still counted: as dropped, once the exporter gives up.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.stop.Do(func() {
		q.accept.Lock()
		close(q.stopping)
		q.accept.Unlock()
	})
	select {
	case <-q.drained:
		return q.exporter.Shutdown(ctx)
	case <-ctx.Done():
		// The exporter's shutdown ends the export that the worker waits for.
		return errors.Join(fmt.Errorf("export the last spans: %w", context.Cause(ctx)), q.exporter.Shutdown(context.WithoutCancel(ctx)))
	}
}

// work is the one goroutine that exports.
func (q *Queue) work() {
	defer close(q.drained)
	ticker := time.NewTicker(q.config.Interval)
	defer ticker.Stop()
	batch := make([]sdktrace.ReadOnlySpan, 0, q.config.Batch)
	add := func(s sdktrace.ReadOnlySpan) {
		if batch = append(batch, s); len(batch) == cap(batch) {
			batch = q.export(batch)
		}
	}
	empty := func() {
		for {
			select {
			case s := <-q.spans:
				add(s)
			default:
				batch = q.export(batch)
				return
			}
		}
	}
	for {
		select {
		case s := <-q.spans:
			add(s)
		case <-ticker.C:
			batch = q.export(batch)
		case done := <-q.flush:
			empty()
			close(done)
		case <-q.stopping:
			empty()
			return
		}
	}
}

// export sends a batch, counts how that ended, and returns the emptied batch.
func (q *Queue) export(batch []sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	if len(batch) == 0 {
		return batch
	}
	ctx, cancel := context.WithTimeout(context.Background(), q.config.Timeout)
	defer cancel()
	n := int64(len(batch))
	if err := q.exporter.ExportSpans(ctx, batch); err != nil {
		q.dropped.Add(n)
		if time.Since(q.lastLog) > time.Minute {
			q.lastLog = time.Now()
			q.config.Logger.Warn("spans dropped: the exporter failed", "spans", n, "dropped_so_far", q.dropped.Load(), "error", err)
		}
	} else {
		q.exported.Add(n)
	}
	clear(batch)
	return batch[:0]
}
