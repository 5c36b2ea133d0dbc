package telemetry

import (
	"context"
	"errors"
	"time"
	"tracelab/internal/otlp"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

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
	drain := func() {
		// At most as many as are open or waiting now: the services go on putting spans in.
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
			q.logDrops(logInterval, nil)
		case done := <-q.flush:
			drain()
			close(done)
		case <-q.last:
			drain()
			q.logDrops(0, nil)
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
		q.logDrops(logInterval, err)
	}
	clear(batch)
	return batch[:0]
}

// exportParts exports spans and counts how that ended. When the endpoint refuses them for something in them, it sends them
// in halves, so that a bad span costs no other. *refusals is how many more refusals of a batch may be answered so.
func (q *Queue) exportParts(ctx context.Context, spans []sdktrace.ReadOnlySpan, refusals *int) error {
	err := context.Cause(ctx)
	if err == nil {
		err = q.exporter.ExportSpans(ctx, spans)
	}
	if err == nil {
		q.exported.Add(int64(len(spans)))
		return nil
	}
	if partial, ok := errors.AsType[*otlp.PartialError](err); ok { // which spans is not known, so OnDrop is not called
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
