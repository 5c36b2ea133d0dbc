// Package promapi asks a Prometheus over its HTTP API: what the doctor, the dashboards' checks and the stack's tests need of it, and no more.
package promapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 32 << 20

// Client asks the Prometheus at a base URL. Its methods may be called from several goroutines.
type Client struct {
	URL string // with or without a slash at its end
	// Do sends a request and returns the body of the answer, and an error unless its status is 2xx. Nil stands for http.DefaultClient.
	Do func(*http.Request) ([]byte, error)
}

// Sample is one series and its value.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Target is something that Prometheus scrapes.
type Target struct {
	URL    string            `json:"scrapeUrl"`
	Health string            `json:"health"` // up, down, or unknown before the first scrape
	Error  string            `json:"lastError"`
	Labels map[string]string `json:"labels"`
}

// Query executes an expression now. Its result must be a vector.
func (c Client) Query(ctx context.Context, expr string) ([]Sample, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]json.RawMessage // a time, and the number as text
		}
	}
	if err := c.ask(ctx, http.MethodPost, "query", url.Values{"query": {expr}}, &data); err != nil {
		return nil, err
	}
	samples := make([]Sample, 0, len(data.Result))
	for _, r := range data.Result {
		value, err := strconv.ParseFloat(strings.Trim(string(r.Value[1]), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("prometheus: the value of %v is no number: %s", r.Metric, r.Value[1])
		}
		samples = append(samples, Sample{r.Metric, value})
	}
	return samples, nil
}

// Exemplar leads from a measurement of a series to the trace in which it was made.
type Exemplar struct {
	TraceID string            // as it was written
	Series  map[string]string // its labels
	Value   string
	At      time.Time
}

// Exemplars returns the exemplars, of those that name a trace, of the series that an expression reads, between two times.
func (c Client) Exemplars(ctx context.Context, expr string, from, to time.Time) ([]Exemplar, error) {
	var data []struct {
		SeriesLabels map[string]string
		Exemplars    []struct {
			Labels struct {
				TraceID string `json:"trace_id"`
			}
			Value     string
			Timestamp float64 // seconds
		}
	}
	values := url.Values{"query": {expr}, "start": {from.UTC().Format(time.RFC3339Nano)}, "end": {to.UTC().Format(time.RFC3339Nano)}}
	if err := c.ask(ctx, http.MethodPost, "query_exemplars", values, &data); err != nil {
		return nil, err
	}
	var list []Exemplar
	for _, series := range data {
		for _, e := range series.Exemplars {
			if e.Labels.TraceID != "" {
				list = append(list, Exemplar{e.Labels.TraceID, series.SeriesLabels, e.Value, time.UnixMilli(int64(e.Timestamp * 1e3))})
			}
		}
	}
	return list, nil
}

// Targets returns what is scraped.
func (c Client) Targets(ctx context.Context) ([]Target, error) {
	var data struct {
		ActiveTargets []Target
	}
	err := c.ask(ctx, http.MethodGet, "targets?state=active", nil, &data)
	return data.ActiveTargets, err
}

// Version returns the version of the server.
func (c Client) Version(ctx context.Context) (string, error) {
	var data struct{ Version string }
	err := c.ask(ctx, http.MethodGet, "status/buildinfo", nil, &data)
	return data.Version, err
}

// ask sends a request and decodes the data of its answer.
func (c Client) ask(ctx context.Context, method, path string, values url.Values, data any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/api/v1/"+path, strings.NewReader(values.Encode()))
	if err != nil {
		return fmt.Errorf("prometheus at %s: %w", c.URL, err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	do := c.Do
	if do == nil {
		do = send
	}
	body, sendErr := do(req)
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	err = json.Unmarshal(body, &answer)
	switch {
	case err == nil && answer.Status == "error":
		return fmt.Errorf("prometheus refuses it: %s", answer.Error)
	case sendErr != nil:
		return sendErr
	case err != nil || answer.Status != "success":
		return fmt.Errorf("%s: the answer is not that of a Prometheus: %.200s", req.URL, body)
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return fmt.Errorf("%s: the answer is not what was expected: %w", req.URL, err)
	}
	return nil
}

func send(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask prometheus: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", req.URL, err)
	}
	if resp.StatusCode/100 != 2 {
		return body, fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	return body, nil
}
