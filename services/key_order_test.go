package services

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// keyOrder looks at the order in which the messages of a Kafka are handled. It is a span processor: it needs the process spans alone.
type keyOrder struct {
	mu      sync.Mutex
	records map[keyedRecords]map[int64][]handledRecord // by offset
}

// keyedRecords are the records of one key of a topic, as one service reads them.
type keyedRecords struct{ service, topic, key string }

// handledRecord is one handling of a record.
type handledRecord struct {
	start, end time.Time
	failed     bool
	instance   string
}

func newKeyOrder() *keyOrder {
	return &keyOrder{records: map[keyedRecords]map[int64][]handledRecord{}}
}

// OnStart does nothing.
func (*keyOrder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd notes a process span.
func (o *keyOrder) OnEnd(span sdktrace.ReadOnlySpan) {
	a := attributes(span)
	offset, ok := a["messaging.kafka.offset"]
	if !ok || a["messaging.operation.type"].AsString() != "process" {
		return
	}
	instance, _ := span.Resource().Set().Value("service.instance.id")
	key := keyedRecords{serviceOf(span), a["messaging.destination.name"].AsString(), a["messaging.kafka.message.key"].AsString()}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.records[key] == nil {
		o.records[key] = map[int64][]handledRecord{}
	}
	at := offset.AsInt64()
	o.records[key][at] = append(o.records[key][at], handledRecord{span.StartTime(), span.EndTime(), attributes(span)["error.type"].AsString() != "", instance.AsString()})
}

// Shutdown does nothing: services that end share it with others.
func (*keyOrder) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing.
func (*keyOrder) ForceFlush(context.Context) error { return nil }

// wrong says which record was handled for the first time before one that lies in front of it with the same key had been handled, "" for none, and how
// many pairs of records were compared. Repeats are not compared: what comes again brings all behind it along.
func (o *keyOrder) wrong() (pairs int, wrong string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, byOffset := range o.records {
		var offsets []int64
		for offset := range byOffset {
			offsets = append(offsets, offset)
		}
		slices.Sort(offsets)
		for i := range len(offsets) - 1 {
			pairs++
			before, behind := byOffset[offsets[i]], byOffset[offsets[i+1]]
			begun := slices.MinFunc(behind, func(a, b handledRecord) int { return a.start.Compare(b.start) })
			if !slices.ContainsFunc(before, func(h handledRecord) bool { return !h.failed && !h.end.After(begun.start) }) {
				return pairs, fmt.Sprintf("%+v: offset %d begins at %v at %s, and none of the handlings of offset %d has ended well by then: %+v", key, offsets[i+1], begun.start, begun.instance, offsets[i], before)
			}
		}
	}
	return pairs, ""
}
