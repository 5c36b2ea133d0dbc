package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
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
	last     chan struct{} // closed when the last span that was taken is in the queue
	drained  chan struct{} // closed when the worker has ended
	stop     sync.Once
	accept   sync.RWMutex // held while a span is put in, so that stopping cannot overtake it

	exporting context.Context // of every export
	giveUp    context.CancelFunc

	started, exported atomic.Int64
	dropped           [len(dropReasons)]atomic.Int64 // by reason
	drops             drops

	logged  int64     // how many of the dropped spans are in the log; worker only
	lastLog time.Time // worker only
}

// Defaults of a QueueConfig.
const (
	defaultSize     = 8192 // spans: what 300 orders make
	defaultBatch    = 512  // spans
	defaultInterval = 200 * time.Millisecond
	defaultTimeout  = 10 * time.Second
)

const (
	logInterval = time.Minute            // between two lines about dropped spans
	cancelGrace = 100 * time.Millisecond // for an exporter to return once its context has ended
	maxRefusals = 32                     // of parts of one batch; after these the rest is dropped
)

// QueueFunctions begins the name of every function of a Queue in a CPU profile.
const QueueFunctions = "tracelab/internal/telemetry.(*Queue)."

// QueueConfig says how a queue behaves.
type QueueConfig struct {
	Size     int           // how many spans may wait; 0: defaultSize
	Batch    int           // how many spans one export may have; 0: defaultBatch
	Interval time.Duration // after which a smaller batch goes out; 0: defaultInterval
	Timeout  time.Duration // of one export; 0: defaultTimeout
	// Wait makes a full queue block whoever ends a span instead of dropping it: for an exporter in the same process, which
	// is never slow. Over a network it stays false, or a collector that is away would stop the orders.
	Wait   bool
	OnDrop func(sdktrace.ReadOnlySpan) // is called for each dropped span, by any goroutine
	// GroupBy lists the attributes by whose values dropped spans are counted, see DroppedOf.
	GroupBy []attribute.Key
	Logger  *slog.Logger // reports dropped spans, at most once a minute and at the end
}

// Counts counts the spans of a queue. While spans are open or waiting, Started is larger than the sum of the others.
type Counts struct {
	Started  int64 `json:"started"`
	Exported int64 `json:"exported"`
	Dropped  int64 `json:"dropped"`
}

// String writes the sum: started = exported + dropped, and those that have not ended, if any.
func (c Counts) String() string {
	text := fmt.Sprintf("started %d = exported %d + dropped %d", c.Started, c.Exported, c.Dropped)
	if open := c.Started - c.Exported - c.Dropped; open != 0 {
		text += fmt.Sprintf(" + not ended %d", open)
	}
	return text
}

// NewQueue starts a queue in front of an exporter.
func NewQueue(exporter sdktrace.SpanExporter, config QueueConfig) *Queue {
	config.Size = cmp.Or(config.Size, defaultSize)
	config.Batch = cmp.Or(config.Batch, defaultBatch)
	config.Interval = cmp.Or(config.Interval, defaultInterval)
	config.Timeout = cmp.Or(config.Timeout, defaultTimeout)
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue{
		exporter: exporter, config: config, drops: drops{count: map[string]int64{}},
		spans: make(chan sdktrace.ReadOnlySpan, config.Size), flush: make(chan chan struct{}),
		stopping: make(chan struct{}), last: make(chan struct{}), drained: make(chan struct{}),
	}
	q.exporting, q.giveUp = context.WithCancel(context.Background())
	go q.work()
	return q
}

// Counts returns the counts so far.
func (q *Queue) Counts() Counts {
	c := Counts{Exported: q.exported.Load(), Dropped: q.droppedSpans()}
	c.Started = q.started.Load() // last, so that it is never smaller than the sum of the others
	return c
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
		q.drop(queueShutDown, s)
		return
	default:
	}
	if q.config.Wait {
		select {
		case q.spans <- s:
		case <-q.stopping:
			q.drop(queueShutDown, s)
		}
		return
	}
	select {
	case q.spans <- s:
	default:
		q.drop(queueFull, s)
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

// Shutdown exports what has ended, takes no more spans, and shuts the exporter down. When the context ends first, the
// export in work is given up and what is left is counted as dropped.
func (q *Queue) Shutdown(ctx context.Context) error {
	err := q.ForceFlush(ctx) // lets those go on that wait for room in the queue
	if err != nil {
		q.giveUp()
	}
	q.stop.Do(func() {
		close(q.stopping)
		q.accept.Lock() // waits until no OnEnd is between its look at stopping and its send
		close(q.last)
		q.accept.Unlock()
	})
	select {
	case <-q.drained:
	case <-ctx.Done():
		err = fmt.Errorf("export the last spans: %w", context.Cause(ctx))
		q.giveUp()
		select {
		case <-q.drained:
		case <-time.After(cancelGrace):
		}
	}
	return errors.Join(err, q.exporter.Shutdown(ctx))
}
