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

	cannotCome   func(*record) string       // why spans that a journey lacks will never come, or ""; nil: not known of any
	nothingWaits func(context.Context) bool // no message waits for a consumer, which would make a span
}

// quietTime is how long no span of any order may have come before the judge believes that no more will.
const quietTime = time.Second

// await waits until every order's journey is complete, for as long as the context lasts: the incomplete ones say why.
// Spans that are in a Jaeger are fetched round by round; at least one round is made, whatever the time.
func (a *awaiting) await(ctx context.Context) error {
	since := a.jaeger.since(a.judge.earliestIncomplete())
	quietSince, more := time.Now(), a.judge.changes()
	for {
		if isClosed(more) {
			quietSince, more = time.Now(), a.judge.changes()
		}
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
		if time.Since(quietSince) >= quietTime && !isClosed(more) && a.inVain(ctx) {
			return nil
		}
		since = a.judge.earliestIncomplete()
		a.awaitSpans(ctx, more)
	}
}

// noMoreSpans tells that waiting is over, or of no use.
func (a *awaiting) noMoreSpans(ctx context.Context) bool {
	return ctx.Err() != nil || a.jaeger != nil && a.jaeger.permanentError()
}

// inVain tells that what each incomplete journey lacks will never come.
func (a *awaiting) inVain(ctx context.Context) bool {
	return a.cannotCome != nil && a.judge.allIncomplete(a.cannotCome) && a.nothingWaits(ctx)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
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
