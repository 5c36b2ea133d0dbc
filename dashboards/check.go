package dashboards

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tracelab/internal/promapi"
)

// Check executes the expressions at the Prometheus with that base URL, at the time of the call, and returns one error for each that
// Prometheus refuses or that finds no series. Values do not matter: a rate of 0 is a series, and NaN is one, too.
func Check(ctx context.Context, prometheusURL string, expressions []Expression) []error {
	prometheus := promapi.Client{URL: prometheusURL}
	var wrong []error
	for _, e := range expressions {
		series, err := prometheus.Query(ctx, e.Expr)
		switch {
		case ctx.Err() != nil:
			return append(wrong, fmt.Errorf("stopped before %s: %w", e, ctx.Err()))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", e, err))
		case len(series) == 0:
			wrong = append(wrong, fmt.Errorf("%s: finds no series; a name or a label in it is wrong, or what it shows did not happen yet", e))
		}
	}
	return wrong
}

// CheckExemplars asks for the exemplars of those expressions that show some, from a time on, and returns the ids of their traces, each once,
// in lower-case hex, and one error for each expression that has none.
func CheckExemplars(ctx context.Context, prometheusURL string, since time.Time, expressions []Expression) (traces []string, wrong []error) {
	prometheus := promapi.Client{URL: prometheusURL}
	for _, e := range expressions {
		if !e.Exemplars {
			continue
		}
		ids, err := prometheus.Exemplars(ctx, e.Expr, since, time.Now())
		switch {
		case ctx.Err() != nil:
			return traces, append(wrong, fmt.Errorf("stopped before %s: %w", e, ctx.Err()))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", e, err))
		case len(ids) == 0:
			wrong = append(wrong, fmt.Errorf("%s: no exemplars; does prometheus run with --enable-feature=exemplar-storage and scrape OpenMetrics?", e))
		}
		traces = append(traces, ids...)
	}
	slices.Sort(traces)
	return slices.Compact(traces), wrong
}
