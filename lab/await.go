package lab

import (
	"context"
	"time"
)

// awaiting waits for the journeys of a run.
type awaiting struct {
	judge  *judge
	jaeger *fetcher                    // nil when no spans are fetched
	flush  func(context.Context) error // makes spans that have ended reach the judge
}

// await waits until every order's journey is complete, for as long as the context lasts: the incomplete ones say why.
// Spans that are in a Jaeger are fetched round by round; at least one round is made, whatever the time.
func (a *awaiting) await(ctx context.Context) error {
	since := a.jaeger.since(a.judge.earliestIncomplete())
	for {
		more := a.judge.changes()
		if err := a.flush(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		if a.jaeger != nil {
			a.jaeger.fetch(ctx, since.Add(-clockMargin))
		}
		incomplete, err := a.judge.conclude()
		if incomplete == 0 && a.jaeger != nil {
			a.jaeger.err = nil // what the round could not ask for is not missing
		}
		if err != nil || incomplete == 0 || a.noMoreSpans(ctx) {
			return err
		}
		since = a.judge.earliestIncomplete()
		a.awaitSpans(ctx, more)
	}
}

// noMoreSpans tells that waiting is over, or of no use.
func (a *awaiting) noMoreSpans(ctx context.Context) bool {
	return ctx.Err() != nil || a.jaeger != nil && a.jaeger.permanentError()
}

// openSpanInterval is how often the judge looks again without new spans: a span may have ended without a new batch.
const openSpanInterval = 50 * time.Millisecond

// awaitSpans waits until there may be more spans, or the context ends. More is closed when some have come.
func (a *awaiting) awaitSpans(ctx context.Context, more <-chan struct{}) {
	if a.jaeger != nil {
		a.jaeger.backoff(ctx)
		return
	}
	select {
	case <-more:
	case <-time.After(openSpanInterval):
	case <-ctx.Done():
	}
}
