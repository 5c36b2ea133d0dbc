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
func (r *running) reportJaeger(result *Result) {
	result.FromJaeger, result.Fetched, result.Followed = true, r.env.jaeger.found, !r.env.jaeger.followed.IsZero()
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
	if r.OTLP.Traces.IsZero() {
		service = services.Gateway
		result.Warnings = append(result.Warnings, "the client's own spans are sent nowhere, so in Jaeger these orders have no root: send them with --otlp (or OTEL_EXPORTER_OTLP_ENDPOINT); this report has them")
	}
	if uiBase(r.Jaeger) == "" {
		result.Warnings = append(result.Warnings, "no links into Jaeger: "+r.Jaeger+" does not tell where its pages are; give --jaeger the URL of its UI")
	}
	if r.env.jaeger.found > 0 {
		result.Jaeger = r.jaegerPages(service, result.medians)
	}
}

// jaegerPages makes the addresses. The service is one whose spans every order of the run has in Jaeger.
func (r *running) jaegerPages(service string, medians map[services.Form]*medianOrder) *JaegerPages {
	base := uiBase(r.Jaeger)
	if base == "" {
		return nil
	}
	pages := &JaegerPages{URL: base, Search: searchURL(base, service, r.name, r.judge.placed), Medians: map[services.Form]string{}}
	for form, m := range medians {
		if m != nil {
			pages.Medians[form] = fmt.Sprintf("%s/trace/%s?uiFind=%s", base, m.order.root.Trace, url.QueryEscape(highlighted))
		}
	}
	pages.Comparison = r.judge.compareTraces(base, medians)
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
func searchURL(base, service, run string, orders []*record) string {
	first, last := orders[0].Intended, time.Time{}
	for _, o := range orders {
		if o.Intended.Before(first) {
			first = o.Intended
		}
		if end := o.Intended.Add(time.Duration(o.Response)); end.After(last) {
			last = end
		}
	}
	tags, _ := json.Marshal(map[string]string{services.KeyRun: run}) // strings can be encoded
	micros := func(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
	return base + "/search?" + url.Values{
		"service": {service}, "tags": {string(tags)}, "lookback": {"custom"},
		"start": {micros(first.Add(-time.Second))}, "end": {micros(last.Add(time.Second))},
		// With room for the warm-up: not every Jaeger looks at the tags before it counts.
		"limit": {strconv.Itoa(min(max(2*len(orders), usualSearchLimit), uiSearchLimit))},
	}.Encode()
}

// compareTraces picks the order with the median completion among messages, and the same order among calls.
func (j *judge) compareTraces(base string, medians map[services.Form]*medianOrder) *JaegerComparison {
	call, message := firstOf(medians, services.GRPC, services.REST), firstOf(medians, services.Kafka, services.Hybrid)
	if call == "" || message == "" {
		return nil
	}
	other := medians[message].order
	r := j.find(orderKey{call, other.Number})
	if !r.judged() {
		return nil
	}
	return &JaegerComparison{Base: call, Other: message, Order: other.Number,
		URL: fmt.Sprintf("%s/trace/%s...%s?cohort=%[2]s&cohort=%[3]s", base, r.root.Trace, other.root.Trace)}
}

// firstOf is the first of the forms that has a median order, or "".
func firstOf(medians map[services.Form]*medianOrder, forms ...services.Form) services.Form {
	for _, form := range forms {
		if medians[form] != nil {
			return form
		}
	}
	return ""
}
