package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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

// query executes one expression and returns the number of series in its result.
func query(ctx context.Context, prometheusURL, expr string) (int, error) {
	form := strings.NewReader(url.Values{"query": {expr}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(prometheusURL, "/")+"/api/v1/query", form)
	if err != nil {
		return 0, fmt.Errorf("prometheus at %s: %w", prometheusURL, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask prometheus: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return 0, fmt.Errorf("read prometheus's answer: %w", err)
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("prometheus answered %s with something that is not its JSON: %w", resp.Status, err)
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("prometheus refuses it: %s", answer.Error)
	}
	return len(answer.Data.Result), nil
}
