package services

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	mostLateNotes = 10_000         // orders whose state waits for the store
	lateNoteFor   = 24 * time.Hour // a person makes room on a disk within that time
	lateNoteFirst = 100 * time.Millisecond
	lateNoteLast  = 5 * time.Second // the longest pause between two attempts
)

// noteLater notes what became of an order as soon as the store takes it. A message that cannot be noted comes again; what calls have done does not,
// and without a note its order would stay pending for ever.
func (k *keeper) noteLater(ctx context.Context, id string, r report) {
	if k.lateNotes.Add(1) > mostLateNotes {
		k.lateNotes.Add(-1)
		k.telemetry.Log.ErrorContext(ctx, "the store does not take what became of an order, which stays pending: too many wait for it", "id", id, "waiting", mostLateNotes)
		return
	}
	k.mailbox.beside(ctx, lateNoteFor, func(ctx context.Context) {
		defer k.lateNotes.Add(-1)
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // the order's trace has ended
		for pause := lateNoteFirst; pauseFor(ctx, pause); pause = min(2*pause, lateNoteLast) {
			if end, _, err := k.ledger.note(ctx, id, r); err == nil {
				k.ended(ctx, id, end)
				return
			}
		}
		k.telemetry.Log.ErrorContext(ctx, "the store has not taken what became of an order, which stays pending", "id", id)
	})
}
