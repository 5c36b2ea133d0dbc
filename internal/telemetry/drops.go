package telemetry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// reason is why a span was dropped.
type reason int

const (
	queueFull     reason = iota // the queue had no room for it
	queueShutDown               // it ended after the shutdown
	exportFailed                // the exporter refused its batch, or could not send it
	exportTimeout               // the exporter did not end in time
	exportGivenUp               // the time for the shutdown was over
	serviceKilled               // it was open when its service was killed
)

// dropReasons names the reasons for error.type: the first two are the queue's, the last its service's, the others the exporter's. The conventions
// for the SDK's own metrics give queue_full and already_shutdown.
var dropReasons = [...]string{"queue_full", "already_shutdown", "export_failed", "timeout", "shutdown", "killed"}

// whyFailed returns the reason for an error of an export. An exporter may report an ended context as a gRPC status.
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

// logDrops logs how many spans were dropped since the last log line, unless that was less than an interval ago. Those that were lost with a killed
// service are no drops of the queue: see Lost.
func (q *Queue) logDrops(interval time.Duration, err error) {
	dropped := q.droppedSpans() - q.Lost()
	if dropped == q.logged || time.Since(q.lastLog) < interval {
		return
	}
	if err == nil {
		err = errors.New("the exporter is slower than the spans, or failed before")
	}
	q.config.Logger.Warn("spans dropped", "spans", dropped-q.logged, "dropped_so_far", dropped, "error", err)
	q.logged, q.lastLog = dropped, time.Now()
}

// droppedSpans returns the sum over all reasons.
func (q *Queue) droppedSpans() int64 {
	var n int64
	for i := range q.dropped {
		n += q.dropped[i].Load()
	}
	return n
}

// drop counts spans that will never be exported.
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

// maxDropGroups bounds the groups of dropped spans: attributes may have values that a client chose.
const maxDropGroups = 1000

// drops counts dropped spans by the values of some attributes.
type drops struct {
	mu    sync.Mutex
	count map[string]int64
}

// note counts spans. Spans of a group beyond maxDropGroups are in the queue's own sums alone.
func (d *drops) note(by []attribute.Key, spans []sdktrace.ReadOnlySpan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range spans {
		values := make([]string, len(by))
		for _, a := range s.Attributes() {
			for i, key := range by {
				if a.Key == key {
					values[i] = a.Value.AsString()
				}
			}
		}
		group := strings.Join(values, "\x00")
		if _, known := d.count[group]; known || len(d.count) < maxDropGroups {
			d.count[group]++
		}
	}
}

// DroppedOf returns how many of the dropped spans had these values of QueueConfig.GroupBy. Spans that an endpoint rejected
// without saying which are in Counts alone.
func (q *Queue) DroppedOf(values ...string) int64 {
	q.drops.mu.Lock()
	defer q.drops.mu.Unlock()
	return q.drops.count[strings.Join(values, "\x00")]
}

// Queue returns the queue among the processors, or nil.
func (c Config) Queue() *Queue {
	for _, p := range c.Processors {
		if q, ok := p.(*Queue); ok {
			return q
		}
	}
	return nil
}
