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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tracelab/internal/otlp"
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

	told    int64     // of the dropped spans, how many the log knows; worker only
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
	maxRefusals = 32                     // of the parts of one batch; then the rest is dropped
)

// QueueFunctions begins the name of every function of a Queue in a CPU profile.
const QueueFunctions = "tracelab/internal/telemetry.(*Queue)."

// reason is why a span was dropped.
type reason int

const (
	queueFull     reason = iota // there was no place for it
	queueShutDown               // it ended after the shutdown
	exportFailed                // the exporter refused its batch, or could not send it
	exportTimeout               // the exporter did not end in time
	exportGivenUp               // the shutdown ran out of time
)

// dropReasons are the reasons as error.type: the first two of the queue, the others of the exporter. The conventions for
// the SDK's own metrics give queue_full and already_shutdown.
var dropReasons = [...]string{"queue_full", "already_shutdown", "export_failed", "timeout", "shutdown"}

// QueueConfig says how a queue behaves.
type QueueConfig struct {
	Size     int           // spans that wait at the most; 0: defaultSize
	Batch    int           // spans in an export at the most; 0: defaultBatch
	Interval time.Duration // after which a smaller batch goes out; 0: defaultInterval
	Timeout  time.Duration // of one export; 0: defaultTimeout
	// Wait makes a full queue hold the span's owner up instead of dropping: for an exporter in the same process, which
	// cannot be slow. Over a network it stays false, or a collector that is away would stop the orders.
	Wait   bool
	OnDrop func(sdktrace.ReadOnlySpan) // is told of each span that is dropped, by any goroutine
	// GroupBy are the attributes by whose values dropped spans are counted, see DroppedOf.
	GroupBy []attribute.Key
	Logger  *slog.Logger // says that spans were dropped, once a minute at the most, and in the end
}

// Counts are the spans that a queue has seen. While spans are open or waiting, Started is the larger side.
type Counts struct {
	Started  int64 `json:"started"`
	Exported int64 `json:"exported"`
	Dropped  int64 `json:"dropped"`
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

// Counts reads the sums.
func (q *Queue) Counts() Counts {
	c := Counts{Exported: q.exported.Load(), Dropped: q.droppedSpans()}
	c.Started = q.started.Load() // last: it is never the smaller side
	return c
}

// droppedSpans is the sum over all reasons.
func (q *Queue) droppedSpans() int64 {
	var n int64
	for i := range q.dropped {
		n += q.dropped[i].Load()
	}
	return n
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

// drop counts spans that nobody will get.
func (q *Queue) drop(why reason, spans ...sdktrace.ReadOnlySpan) {
	q.dropped[why].Add(int64(len(spans)))
	if len(q.config.GroupBy) > 0 {
		q.drops.note(q.config.GroupBy, spans)
	}
	if q.config.OnDrop != nil {
		for _, s := range spans {
			q.config.OnDrop(s)
		}
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
	err := q.ForceFlush(ctx) // whoever waits for a place in the queue gets it
	if err != nil {
		q.giveUp()
	}
	q.stop.Do(func() {
		close(q.stopping)
		q.accept.Lock() // every span that was on its way in is in, or counted as dropped
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

// work is the one goroutine that exports.
func (q *Queue) work() {
	defer close(q.drained)
	defer q.giveUp()
	ticker := time.NewTicker(q.config.Interval)
	defer ticker.Stop()
	batch := make([]sdktrace.ReadOnlySpan, 0, q.config.Batch)
	add := func(s sdktrace.ReadOnlySpan) {
		if batch = append(batch, s); len(batch) == cap(batch) {
			batch = q.export(batch)
		}
	}
	empty := func() {
		// At most those that have started by now, in the queue or held up before it: others go on putting spans in.
		for range q.started.Load() - q.exported.Load() - q.droppedSpans() {
			select {
			case s := <-q.spans:
				add(s)
				continue
			default:
			}
			break
		}
		batch = q.export(batch)
	}
	for {
		select {
		case s := <-q.spans:
			add(s)
		case <-ticker.C:
			batch = q.export(batch)
			q.tell(logInterval, nil)
		case done := <-q.flush:
			empty()
			close(done)
		case <-q.last:
			empty()
			q.tell(0, nil)
			return
		}
	}
}

// export sends a batch, counts how that ended, and returns the emptied batch.
func (q *Queue) export(batch []sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	if len(batch) == 0 {
		return batch
	}
	ctx, cancel := context.WithTimeout(q.exporting, q.config.Timeout)
	defer cancel()
	refusals := maxRefusals
	if err := q.exportParts(ctx, batch, &refusals); err != nil {
		q.tell(logInterval, err)
	}
	clear(batch)
	return batch[:0]
}

// exportParts exports spans and counts how that ended. Where the endpoint refuses them for something in them it sends them
// in halves, so that a bad span costs no other, until it has heard so many refusals.
func (q *Queue) exportParts(ctx context.Context, spans []sdktrace.ReadOnlySpan, refusals *int) error {
	err := context.Cause(ctx)
	if err == nil {
		err = q.exporter.ExportSpans(ctx, spans)
	}
	if err == nil {
		q.exported.Add(int64(len(spans)))
		return nil
	}
	if partial, ok := errors.AsType[*otlp.PartialError](err); ok { // it has not said which: OnDrop cannot be told
		rejected := int64(min(partial.Rejected, len(spans)))
		q.dropped[exportFailed].Add(rejected)
		q.exported.Add(int64(len(spans)) - rejected)
		return err
	}
	if *refusals > 0 && len(spans) > 1 && otlp.IsRefused(err) {
		*refusals--
		half := len(spans) / 2
		return errors.Join(q.exportParts(ctx, spans[:half], refusals), q.exportParts(ctx, spans[half:], refusals))
	}
	q.drop(whyFailed(err), spans...)
	return err
}

// whyFailed sorts the errors of an export. An exporter may tell of an ended context in words of its own.
func whyFailed(err error) reason {
	switch code := status.Code(err); {
	case errors.Is(err, context.DeadlineExceeded), code == codes.DeadlineExceeded:
		return exportTimeout
	case errors.Is(err, context.Canceled), code == codes.Canceled:
		return exportGivenUp
	default:
		return exportFailed
	}
}

// tell logs that spans were dropped since it last did, unless that is less than an interval ago.
func (q *Queue) tell(interval time.Duration, err error) {
	dropped := q.droppedSpans()
	if dropped == q.told || time.Since(q.lastLog) < interval {
		return
	}
	if err == nil {
		err = errors.New("the exporter is slower than the spans, or failed before")
	}
	q.config.Logger.Warn("spans dropped", "spans", dropped-q.told, "dropped_so_far", dropped, "error", err)
	q.told, q.lastLog = dropped, time.Now()
}
