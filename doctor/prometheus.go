package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/services"
)

// scrapePatience is how long a number may take to Prometheus: services send every 10 s, span_metrics every 5, and a
// scrape comes every 5 to 15.
const scrapePatience = 45 * time.Second

// targetPatience is how long Prometheus may take to scrape all its targets once: it looks at its configuration 5 s after
// its start, and then spreads the first scrapes over an interval.
const targetPatience = 15 * time.Second

// What is counted for every service with each probe order of the form rest, and how it gets to Prometheus.
const (
	ofServices = `sum by (service_name) (http_server_request_duration_seconds_count)`
	ofSpans    = `sum by (service_name) (traces_span_metrics_calls_total)`
	exemplarOf = `{__name__=~"traces_span_metrics_duration_.*_bucket|http_server_request_duration_seconds_bucket"}`
)

// series is one number for each service.
type series map[string]float64

// prometheusAnswers asks a question that needs no data.
func (e *examination) prometheusAnswers(ctx context.Context) (string, error) {
	var answer struct {
		Data struct {
			Version string `json:"version"`
		} `json:"data"`
	}
	if err := e.askPrometheus(ctx, "/api/v1/status/buildinfo", nil, &answer); err != nil {
		return "", brokenHop("start Prometheus, or name its URL with --prometheus; its log says what is wrong with its configuration", "%s", err.Error())
	}
	return fmt.Sprintf("version %s answers at %s", answer.Data.Version, e.config.Prometheus), nil
}

// targetsUp looks at what Prometheus scrapes.
func (e *examination) targetsUp(ctx context.Context) (string, error) {
	seen := ""
	err := until(ctx, func(ctx context.Context) error {
		var answer struct {
			Data struct {
				Active []struct {
					URL    string            `json:"scrapeUrl"`
					Health string            `json:"health"`
					Error  string            `json:"lastError"`
					Labels map[string]string `json:"labels"`
				} `json:"activeTargets"`
			} `json:"data"`
		}
		if err := e.askPrometheus(ctx, "/api/v1/targets", url.Values{"state": {"active"}}, &answer); err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		var up []string
		for _, t := range answer.Data.Active {
			if t.Health == "down" {
				return brokenHop("start what is scraped there, or correct its address in scrape_configs of prometheus.yaml", "target %s (job %s) is down: %s", t.URL, t.Labels["job"], t.Error)
			}
			if t.Health == "up" {
				up = append(up, t.URL)
			}
		}
		if len(answer.Data.Active) == 0 {
			return brokenHop("let prometheus.yaml have scrape_configs: the collector's ports 8889 (what services and span_metrics say) and 8888 (its own), and Jaeger's 8887", "it scrapes nothing")
		}
		if len(up) < len(answer.Data.Active) {
			return brokenHop("wait for the first scrape", "%d of %s have been scraped", len(up), count(len(answer.Data.Active), "target"))
		}
		seen = count(len(up), "target") + " up: " + list(up)
		return nil
	})
	return seen, err
}

// countBefore notes the counts before the first order; without Prometheus, or when it does not answer, there are none.
func (e *examination) countBefore(ctx context.Context) {
	if e.config.Prometheus == "" || e.counted != nil {
		return
	}
	e.counted = map[string]series{}
	for _, query := range []string{ofServices, ofSpans} {
		if counts, err := e.query(ctx, query); err == nil { // the check prometheus tells
			e.counted[query] = counts
		}
	}
}

// metricsArrive waits until what the order of the form rest has done is counted for every service.
func (e *examination) metricsArrive(ctx context.Context) (string, error) {
	return e.grown(ctx, ofServices, func(missing []string) error {
		return brokenHop(fmt.Sprintf("look at how %s is started: --otlp sends metrics, too, every 10 s; then at the collector's page for Prometheus (port 8889), and at whether Prometheus scrapes it", missing[0]),
			"http_server_request_duration_seconds of %s has not counted the order", list(missing))
	})
}

// spanMetricsArrive waits until the order's spans are counted.
func (e *examination) spanMetricsArrive(ctx context.Context) (string, error) {
	return e.grown(ctx, ofSpans, func(missing []string) error {
		return brokenHop("look at the connector span_metrics in the collector's configuration, at its page for Prometheus (port 8889), and at whether Prometheus scrapes it",
			"traces_span_metrics_calls_total of %s has not counted the order's spans, which Jaeger has", list(missing))
	})
}

// grown waits until a count is another one than before the orders, for every service. A service that was started anew
// begins at 0, so other is enough.
func (e *examination) grown(ctx context.Context, query string, broken func(missing []string) error) (string, error) {
	err := until(ctx, func(ctx context.Context) error {
		now, err := e.query(ctx, query)
		if err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		var missing []string
		for _, name := range services.Names() {
			is, there := now[name]
			if was := e.counted[query][name]; !there || is == was {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return broken(missing)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return "the orders are counted for all " + count(len(services.Names()), "service"), nil
}

// exemplarsArrive looks for a number that leads to a trace of ours.
func (e *examination) exemplarsArrive(ctx context.Context) (string, error) {
	ours := map[string]journey.TraceID{}
	for _, o := range e.orders {
		ours[o.trace.String()] = o.trace
	}
	var seen string
	err := until(ctx, func(ctx context.Context) error {
		var answer struct {
			Data []struct {
				Exemplars []struct {
					Labels map[string]string `json:"labels"`
				} `json:"exemplars"`
			} `json:"data"`
		}
		values := url.Values{"query": {exemplarOf}, "start": {unix(e.began())}, "end": {unix(time.Now().Add(time.Minute))}}
		if err := e.askPrometheus(ctx, "/api/v1/query_exemplars", values, &answer); err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		n := 0
		for _, d := range answer.Data {
			for _, x := range d.Exemplars {
				n++
				if id, ok := ours[x.Labels["trace_id"]]; ok {
					seen = "one leads to " + e.link(id)
					return nil
				}
			}
		}
		if n > 0 {
			seen = count(n, "exemplar") + " since the orders, none of them theirs: others have taken their place"
			return nil
		}
		return brokenHop("start Prometheus with --enable-feature=exemplar-storage, let it scrape OpenMetrics (the default), and let the collector offer it (enable_open_metrics) with exemplars on in span_metrics",
			"no number of response times has an exemplar")
	})
	return seen, err
}

// began is when the first order was placed.
func (e *examination) began() time.Time {
	first := time.Now()
	for _, o := range e.orders {
		if o.at.Before(first) {
			first = o.at
		}
	}
	return first
}

// query asks for one number for each service.
func (e *examination) query(ctx context.Context, query string) (series, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string  `json:"metric"`
				Value  [2]json.RawMessage `json:"value"` // a time, and the number as text
			} `json:"result"`
		} `json:"data"`
	}
	if err := e.askPrometheus(ctx, "/api/v1/query", url.Values{"query": {query}}, &answer); err != nil {
		return nil, err
	}
	counts := series{}
	for _, r := range answer.Data.Result {
		n, err := strconv.ParseFloat(strings.Trim(string(r.Value[1]), `"`), 64)
		if err != nil {
			return nil, fmt.Errorf("%s of %s is no number: %s", query, r.Metric["service_name"], r.Value[1])
		}
		counts[r.Metric["service_name"]] = n
	}
	return counts, nil
}

func (e *examination) askPrometheus(ctx context.Context, path string, values url.Values, into any) error {
	address := base(e.config.Prometheus) + path
	if len(values) > 0 {
		address += "?" + values.Encode()
	}
	return getJSON(ctx, e.http, address, into)
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
