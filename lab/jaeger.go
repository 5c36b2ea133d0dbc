package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
	"tracelab/services"
)

const (
	// searchDepth is how many traces one question asks for at the most. A period with more is asked for in halves.
	searchDepth = 500
	// shortestPeriod is where halving ends: more traces than searchDepth that begin within it are not all found.
	shortestPeriod = time.Millisecond
	// clockMargin is how far the clocks of the services may be from the client's.
	clockMargin = 10 * time.Second
	// questionTimeout is how long Jaeger may take for one answer, roundTimeout for all of one round. A round that has
	// begun is finished, so that a deadline in the middle of one is not mistaken for a slow Jaeger.
	questionTimeout, roundTimeout = 5 * time.Second, 15 * time.Second
	// The pause between two rounds grows: most spans come within a second, and Jaeger has other work.
	firstRoundPause, longestRoundPause = 200 * time.Millisecond, 2 * time.Second
)

// fetcher asks a Jaeger for the spans of a run's orders, where a Receiver is sent them.
//
// It keeps the spans that carry the run, each once, whatever else their traces have. Polls and commits serve orders of
// several runs and carry none, so they are not fetched: a search by run cannot find them, and those that a search by
// time finds by chance would refer to spans of other runs. No journey needs them.
type fetcher struct {
	store     jaeger.Store
	address   string // without a password
	run       string
	deliver   func(ptrace.Traces) // takes the spans that were found, each once
	answered  bool                // Jaeger has answered at least once
	found     int
	truncated int // shortest periods with more traces than a question brings
	pause     time.Duration
	followed  time.Time // until when it was fetched while orders were placed
	err       error     // of the newest round

	mu    sync.Mutex
	known map[spanID]bool // spans that the judge has
}

type spanID struct {
	trace pcommon.TraceID
	span  pcommon.SpanID
}

// newFetcher makes one for a Jaeger's address. Nothing is asked yet.
func newFetcher(address, run string, deliver func(ptrace.Traces)) (*fetcher, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("address of Jaeger: %w", err)
	}
	f := &fetcher{address: u.Redacted(), run: run, deliver: deliver, known: map[spanID]bool{}, pause: firstRoundPause}
	store, err := jaeger.Open(address, jaeger.WithTimeout(questionTimeout))
	f.store = store
	return f, err
}

// close ends the connection, where there is one.
func (f *fetcher) close(context.Context) error { return f.store.Close() }

// fetch asks for the run's spans that are not there yet, in traces with a span from that time on. It goes on when the
// context's deadline passes, and ends when it is canceled. What goes wrong is in err.
func (f *fetcher) fetch(ctx context.Context, from time.Time) {
	round, cancel := context.WithTimeout(context.WithoutCancel(ctx), roundTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})()
	f.truncated = 0
	f.err = f.search(round, from, time.Now().Add(clockMargin))
}

// note makes the spans of this process known: Jaeger may have them, too.
func (f *fetcher) note(traces ptrace.Traces) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				f.known[spanID{span.TraceID(), span.SpanID()}] = true
			}
		}
	}
}

// forget lets go which spans are known when they are more than so many. What is fetched again after that may come twice.
func (f *fetcher) forget(most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) > most {
		clear(f.known)
	}
}

// search asks for a period, and for its halves when it has more traces than one answer brings.
func (f *fetcher) search(ctx context.Context, from, to time.Time) error {
	answer, err := f.store.SearchOTLP(ctx, source.Query{
		Attributes: map[string]string{services.KeyRun: f.run}, Start: from, End: to, Limit: searchDepth,
	})
	if err != nil {
		return err
	}
	f.answered = true
	for _, traces := range answer.Traces {
		if fresh := f.take(traces); fresh > 0 {
			f.found += fresh
			f.deliver(traces)
		}
	}
	if !slices.ContainsFunc(answer.Warnings, func(w journey.Warning) bool { return w.Rule == journey.RuleSearchCut }) {
		return nil
	}
	if to.Sub(from) <= shortestPeriod {
		f.truncated++
		return nil
	}
	middle := from.Add(to.Sub(from) / 2)
	if err := f.search(ctx, from, middle); err != nil {
		return err
	}
	return f.search(ctx, middle, to)
}

// take leaves of the traces only the spans of the run that were not known, and counts them.
func (f *fetcher) take(traces ptrace.Traces) (fresh int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	traces.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		resource.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
			scope.Spans().RemoveIf(func(span ptrace.Span) bool {
				run, ok := span.Attributes().Get(services.KeyRun)
				id := spanID{span.TraceID(), span.SpanID()}
				if !ok || run.Str() != f.run || f.known[id] {
					return true
				}
				f.known[id] = true
				fresh++
				return false
			})
			return scope.Spans().Len() == 0
		})
		return resource.ScopeSpans().Len() == 0
	})
	return fresh
}

// permanentError tells whether asking again is of no use: what answers there is no Jaeger, or does not want to.
func (f *fetcher) permanentError() bool {
	found, ok := errors.AsType[*jaeger.Error](f.err)
	if !ok {
		return f.err != nil
	}
	switch found.Kind {
	case jaeger.NotJaeger, jaeger.OldAPI, jaeger.Refused, jaeger.BadQuery:
		return true
	case jaeger.Failed, jaeger.Down, jaeger.Slow, jaeger.NotStored, jaeger.Damaged:
	}
	return false
}

// backoff waits before the next round, unless the context ends first.
func (f *fetcher) backoff(ctx context.Context) {
	pause(ctx, f.pause)
	f.pause = min(f.pause*3/2, longestRoundPause)
}

// problem says why spans could not be fetched, or "".
func (f *fetcher) problem() string {
	if f.err == nil {
		return ""
	}
	err := f.err
	if found, ok := errors.AsType[*jaeger.Error](err); ok { // without the question, which is long
		err = &jaeger.Error{Kind: found.Kind, Address: f.address, Err: found.Err}
	}
	before := ""
	if f.answered {
		before = fmt.Sprintf(" after the first %d spans", f.found)
	}
	return fmt.Sprintf("the services' spans could not be fetched from Jaeger%s: %v", before, err)
}

// warnings are what a reader must know of the spans that were fetched, or were not.
func (f *fetcher) warnings(incomplete int) []string {
	var texts []string
	if f.truncated > 0 {
		texts = append(texts, fmt.Sprintf("Jaeger has more than %d traces that begin within %v, in %d places: some of them were not fetched", searchDepth, shortestPeriod, f.truncated))
	}
	switch {
	case f.err != nil:
	case f.found == 0:
		texts = append(texts, "Jaeger has no span of this run's services: do they send theirs to it, or to a collector in front of it (serve --otlp)?")
	case incomplete > 0:
		texts = append(texts, fmt.Sprintf("Jaeger has %d spans of this run's services; those that are missing may be sampled away, still on their way (--deadline), or pushed out of its memory (max_traces in jaeger/jaeger.yaml)", f.found))
	}
	return texts
}
