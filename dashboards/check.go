package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Check executes the expressions at the Prometheus with that base URL, at the time of the call, and returns one error for each that
// Prometheus refuses or that finds no series. Values are not looked at: a rate of nothing is still a series, and NaN is one, too.
func Check(ctx context.Context, prometheusURL string, expressions []Expression) []error {
	var wrong []error
	for _, e := range expressions {
		series, err := query(ctx, prometheusURL, e.Expr)
		switch {
		case ctx.Err() != nil:
			return append(wrong, fmt.Errorf("stopped before %s: %w", e, ctx.Err()))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s: %w", e, err))
		case series == 0:
			wrong = append(wrong, fmt.Errorf("%s: finds no series; a name or a label in it is wrong, or what it shows did not happen yet", e))
		}
	}
	return wrong
}

// CheckExemplars asks for the exemplars of those expressions that show some, from a time on, and returns the ids of their traces, each once,
// in lower-case hex, and one error for each expression that has none.
func CheckExemplars(ctx context.Context, prometheusURL string, since time.Time, expressions []Expression) (traces []string, wrong []error) {
	for _, e := range expressions {
		if !e.Exemplars {
			continue
		}
		ids, err := exemplars(ctx, prometheusURL, since, e.Expr)
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

// query executes one expression and returns the number of series in its result.
func query(ctx context.Context, prometheusURL, expr string) (int, error) {
	var data struct{ Result []json.RawMessage }
	err := ask(ctx, prometheusURL, "query", url.Values{"query": {expr}}, &data)
	return len(data.Result), err
}

// exemplars returns the trace ids of the exemplars of the series that an expression reads.
func exemplars(ctx context.Context, prometheusURL string, since time.Time, expr string) ([]string, error) {
	var data []struct {
		Exemplars []struct {
			Labels struct {
				TraceID string `json:"trace_id"`
			}
		}
	}
	values := url.Values{"query": {expr}, "start": {since.UTC().Format(time.RFC3339Nano)}, "end": {time.Now().UTC().Format(time.RFC3339Nano)}}
	if err := ask(ctx, prometheusURL, "query_exemplars", values, &data); err != nil {
		return nil, err
	}
	var ids []string
	for _, series := range data {
		for _, e := range series.Exemplars {
			if e.Labels.TraceID != "" {
				ids = append(ids, e.Labels.TraceID)
			}
		}
	}
	return ids, nil
}

// ask sends a request to Prometheus's HTTP API and decodes the data of its answer.
func ask(ctx context.Context, prometheusURL, method string, values url.Values, data any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(prometheusURL, "/")+"/api/v1/"+method, strings.NewReader(values.Encode()))
	if err != nil {
		return fmt.Errorf("prometheus at %s: %w", prometheusURL, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask prometheus: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("read prometheus's answer: %w", err)
	}
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("prometheus answered %s with something that is not its JSON: %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus refuses it: %s", answer.Error)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return fmt.Errorf("read prometheus's answer: %w", err)
	}
	return nil
}
