package telemetry

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// maxDropGroups bounds the groups of dropped spans: attributes may have values that a client chose.
const maxDropGroups = 1000

// drops counts dropped spans by the values of some attributes.
type drops struct {
	mu    sync.Mutex
	count map[string]int64
}

// note counts spans. Those of more groups than maxDropGroups are in the queue's own sums alone.
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

// DroppedOf is how many of the dropped spans had these values of QueueConfig.GroupBy. Spans that an endpoint left out without
// saying which are in Counts alone.
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
