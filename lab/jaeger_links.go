package lab

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/services"
)

// JaegerPages are addresses in the UI of the Jaeger that a run's spans came from.
type JaegerPages struct {
	URL string `json:"url"`
	// Search is a search for the orders of the run.
	Search string `json:"search_url"`
	// Medians is, by form, the trace of the order with the median completion; with relation link the first of its traces.
	Medians map[services.Form]string `json:"median_trace_urls"`
	// Comparison is of one order in a form of calls and in one of messages; nil when the run has not both.
	Comparison *JaegerComparison `json:"comparison,omitempty"`
}

// JaegerComparison is Jaeger's own comparison of two traces.
type JaegerComparison struct {
	Base  services.Form `json:"base"`
	Other services.Form `json:"other"`
	Order int           `json:"order"` // its number, the same in both
	URL   string        `json:"url"`
}

const (
	// highlighted is what the trace page is told to find: the attribute that the steps have, and no other span.
	highlighted = services.KeyStep
	// uiSearchLimit is the most traces that the search page lists; usualSearchLimit is enough for a short run.
	usualSearchLimit, uiSearchLimit = 100, 1500
)

// reportJaeger says how fetching went, and where to look on.
func (r *running) reportJaeger(result *Result, verdicts []verdict) {
	result.fetched, result.Fetched, result.followed = true, r.env.jaeger.found, !r.env.jaeger.followed.IsZero()
	incomplete := 0
	for _, f := range result.Forms {
		incomplete += f.Incomplete
	}
	if problem := r.env.jaeger.problem(); problem != "" {
		result.Problems = slices.Insert(result.Problems, 0, problem) // what follows comes of it
		return
	}
	result.Warnings = append(result.Warnings, r.env.jaeger.warnings(incomplete)...)
	service := "client"
	if r.forward == nil {
		service = services.Gateway
		result.Warnings = append(result.Warnings, "the client's own spans are sent nowhere, so in Jaeger these orders have no root: send them with --otlp (or OTEL_EXPORTER_OTLP_ENDPOINT); this report has them")
	}
	if uiBase(r.Jaeger) == "" {
		result.Warnings = append(result.Warnings, "no links into Jaeger: "+r.Jaeger+" does not tell where its pages are; give --jaeger the URL of its UI")
	}
	if r.env.jaeger.found > 0 {
		result.Jaeger = r.jaegerPages(service, verdicts, result.paths)
	}
}

// jaegerPages makes the addresses. The service is one whose spans every order of the run has in Jaeger.
func (r *running) jaegerPages(service string, verdicts []verdict, paths map[services.Form]*medianOrder) *JaegerPages {
	base := uiBase(r.Jaeger)
	if base == "" || len(verdicts) == 0 {
		return nil
	}
	pages := &JaegerPages{URL: base, Search: searchURL(base, service, r.name, verdicts), Medians: map[services.Form]string{}}
	for form, m := range paths {
		if m != nil {
			pages.Medians[form] = fmt.Sprintf("%s/trace/%s?uiFind=%s", base, m.order.Trace, url.QueryEscape(highlighted))
		}
	}
	pages.Comparison = compareTraces(base, verdicts, paths)
	return pages
}

// uiBase is the URL of the UI, without a password; "" when the address is that of the gRPC port.
func uiBase(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}).String()
}

// searchURL is the search page: times in microseconds, attributes as a JSON object.
func searchURL(base, service, run string, verdicts []verdict) string {
	first, last := verdicts[0].order.Intended, time.Time{}
	for _, v := range verdicts {
		if v.order.Intended.Before(first) {
			first = v.order.Intended
		}
		if end := v.order.Intended.Add(time.Duration(v.order.Response)); end.After(last) {
			last = end
		}
	}
	tags, _ := json.Marshal(map[string]string{services.KeyRun: run}) // strings can be encoded
	micros := func(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
	return base + "/search?" + url.Values{
		"service": {service}, "tags": {string(tags)}, "lookback": {"custom"},
		"start": {micros(first.Add(-time.Second))}, "end": {micros(last.Add(time.Second))},
		// With room for the warm-up: not every Jaeger looks at the tags before it counts.
		"limit": {strconv.Itoa(min(max(2*len(verdicts), usualSearchLimit), uiSearchLimit))},
	}.Encode()
}

// compareTraces picks the order with the median completion among messages, and the same order among calls.
func compareTraces(base string, verdicts []verdict, paths map[services.Form]*medianOrder) *JaegerComparison {
	sync, async := firstOf(paths, services.GRPC, services.REST), firstOf(paths, services.Kafka, services.Hybrid)
	if sync == "" || async == "" {
		return nil
	}
	other := paths[async].order
	for _, v := range verdicts {
		if v.order.Form == string(sync) && v.order.Number == other.Number && v.order.Incomplete == "" {
			return &JaegerComparison{Base: sync, Other: async, Order: other.Number,
				URL: fmt.Sprintf("%s/trace/%s...%s?cohort=%[2]s&cohort=%[3]s", base, v.order.Trace, other.Trace)}
		}
	}
	return nil
}

// firstOf is the first of the forms that has a median order, or "".
func firstOf(paths map[services.Form]*medianOrder, forms ...services.Form) services.Form {
	for _, form := range forms {
		if paths[form] != nil {
			return form
		}
	}
	return ""
}
