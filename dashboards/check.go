package dashboards

import (
	"cmp"
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

// CheckExemplars asks for the exemplars of those expressions that show some, from a time on, and returns one for each trace that they lead to,
// by its id, and one error for each expression that has none.
func CheckExemplars(ctx context.Context, prometheusURL string, since time.Time, expressions []Expression) (exemplars []promapi.Exemplar, wrong []error) {
	prometheus := promapi.Client{URL: prometheusURL}
	for _, e := range expressions {
		if !e.Exemplars {
			continue
		}
		list, err := prometheus.Exemplars(ctx, e.Expr, since, time.Now())
		switch {
		case ctx.Err() != nil:
			return exemplars, append(wrong, fmt.Errorf("stopped before %s: %w", e, ctx.Err()))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", e, err))
		case len(list) == 0:
			wrong = append(wrong, fmt.Errorf("%s: no exemplars; does prometheus run with --enable-feature=exemplar-storage and scrape OpenMetrics?", e))
		}
		exemplars = append(exemplars, list...)
	}
	byTrace := func(a, b promapi.Exemplar) int { return cmp.Compare(a.TraceID, b.TraceID) }
	slices.SortFunc(exemplars, byTrace)
	return slices.CompactFunc(exemplars, func(a, b promapi.Exemplar) bool { return byTrace(a, b) == 0 }), wrong
}
