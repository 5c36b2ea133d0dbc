package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tracelab/internal/promapi"
)

// scrapeWithin is how long a number may take to reach Prometheus: services export every 5 s, or as
// OTEL_METRIC_EXPORT_INTERVAL says, span_metrics every 5 s, and Prometheus scrapes every 5 to 15 s.
const scrapeWithin = 45 * time.Second

// targetsWithin is how long Prometheus may take to scrape all its targets once: it applies its configuration 5 s after its
// start, and then spreads the first scrapes over an interval.
const targetsWithin = 15 * time.Second

// Queries for what the first probe order adds to for every service: its requests and messages, its spans, and exemplars.
const (
	ofServices = `sum by (service_name) ({__name__=~"http_server_request_duration_seconds_count|rpc_server_call_duration_seconds_count|messaging_process_duration_seconds_count"})`
	ofSpans    = `sum by (service_name) (traces_span_metrics_calls_total)`
	exemplarOf = `{__name__=~"traces_span_metrics_duration_.*_bucket|http_server_request_duration_seconds_bucket"}`
)

// series has one number for each service, and counts has the series of each query.
type (
	series map[string]float64
	counts map[string]series
)

// prometheusAnswers asks Prometheus for its version.
func (p *parts) prometheusAnswers(ctx context.Context) (_ nothing, seen string, _ error) {
	version, err := p.prometheus.Version(ctx)
	if err != nil {
		return nothing{}, "", brokenHop("start Prometheus, or name its URL with --prometheus; its log says what is wrong with its configuration", "%s", err.Error())
	}
	return nothing{}, fmt.Sprintf("version %s answers at %s", version, p.config.Prometheus), nil
}

// targetsUp waits until Prometheus has scraped all its targets. That of a Jaeger which failed itself may be down: no number of the services comes
// from there.
func (p *parts) targetsUp(ctx context.Context, jaeger ended) (_ nothing, seen string, _ error) {
	err := until(ctx, func(ctx context.Context) error {
		targets, err := p.prometheus.Targets(ctx)
		if err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		var up []string
		known := 0
		for _, t := range targets {
			if t.Health != "up" && t.Labels["job"] == "jaeger" && jaeger.failed {
				known++
				continue
			}
			if t.Health == "down" {
				return brokenHop("start what is scraped there, or correct its address in scrape_configs of prometheus.yaml", "target %s (job %s) is down: %s", t.URL, t.Labels["job"], t.Error)
			}
			if t.Health == "up" {
				up = append(up, t.URL)
			}
		}
		if len(targets) == 0 {
			return brokenHop("let prometheus.yaml have scrape_configs: the collector's ports 8889 (what services and span_metrics say) and 8888 (its own), and Jaeger's 8887", "it has no scrape targets")
		}
		if len(up)+known < len(targets) {
			return brokenHop("wait for the first scrape", "%d of %s have been scraped", len(up), plural(len(targets), "target"))
		}
		seen = plural(len(up), "target") + " up: " + commas(up)
		if known > 0 {
			seen += "; Jaeger's is not"
		}
		return nil
	})
	return nothing{}, seen, err
}

// countsNow reads the counts before the first order. It leaves out one that it cannot read: later checks report that.
func (p *parts) countsNow(ctx context.Context) counts {
	before := counts{}
	for _, query := range []string{ofServices, ofSpans} {
		if now, err := p.byService(ctx, query); err == nil {
			before[query] = now
		}
	}
	return before
}

// metricsArrive waits until the requests and messages of the first order are counted for every service.
func (p *parts) metricsArrive(ctx context.Context, before counts) (_ nothing, seen string, _ error) {
	return p.grown(ctx, ofServices, before[ofServices], func(missing []string) error {
		return brokenHop(fmt.Sprintf("look at how %s is started: --otlp sends metrics, too, every 5 s; then at the collector's page for Prometheus (port 8889), and at whether Prometheus scrapes it", missing[0]),
			"no metric of a request or a message of %s has counted the order", commas(missing))
	})
}

// spanMetricsArrive waits until the order's spans are counted.
func (p *parts) spanMetricsArrive(ctx context.Context, before counts) (_ nothing, seen string, _ error) {
	return p.grown(ctx, ofSpans, before[ofSpans], func(missing []string) error {
		return brokenHop("look at the connector span_metrics in the collector's configuration, at its page for Prometheus (port 8889), and at whether Prometheus scrapes it",
			"traces_span_metrics_calls_total of %s has not counted the order's spans", commas(missing))
	})
}

// grown waits until every service's count differs from that before the orders. It need not be greater: a service that was
// restarted begins at 0.
func (p *parts) grown(ctx context.Context, query string, before series, broken func(missing []string) error) (_ nothing, seen string, _ error) {
	err := until(ctx, func(ctx context.Context) error {
		now, err := p.byService(ctx, query)
		if err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		var missing []string
		for _, name := range p.config.flow().Services() {
			if is, there := now[name]; !there || is == before[name] {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return broken(missing)
		}
		return nil
	})
	if err != nil {
		return nothing{}, "", err
	}
	return nothing{}, "the orders are counted for all " + plural(len(p.config.flow().Services()), "service"), nil
}

// exemplarsArrive waits for an exemplar that leads to the trace of one of the orders.
func (p *parts) exemplarsArrive(ctx context.Context, orders []*placed) (_ nothing, seen string, _ error) {
	began := time.Now()
	for _, o := range orders {
		if o.at.Before(began) {
			began = o.at
		}
	}
	err := until(ctx, func(ctx context.Context) error {
		list, err := p.prometheus.Exemplars(ctx, exemplarOf, began, time.Now().Add(time.Minute)) // clocks may differ
		if err != nil {
			return brokenHop("look at the log of Prometheus", "%s", err.Error())
		}
		for _, o := range orders {
			if slices.ContainsFunc(list, func(e promapi.Exemplar) bool { return e.TraceID == o.trace.String() }) {
				seen = "one leads to " + p.jaeger.link(o.trace)
				return nil
			}
		}
		if len(list) > 0 {
			seen = plural(len(list), "exemplar") + " since the orders, none of them theirs: others have taken their place"
			return nil
		}
		return brokenHop("start Prometheus with --enable-feature=exemplar-storage, let it scrape OpenMetrics (the default), and let the collector offer it (enable_open_metrics) with exemplars on in span_metrics",
			"no response time metric has an exemplar")
	})
	return nothing{}, seen, err
}

// byService asks for one number for each service.
func (p *parts) byService(ctx context.Context, query string) (series, error) {
	samples, err := p.prometheus.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	numbers := series{}
	for _, s := range samples {
		numbers[s.Labels["service_name"]] = s.Value
	}
	return numbers, nil
}
