package lab

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/services"
)

// JaegerPages are addresses in the UI of the Jaeger that a run's spans came from.
type JaegerPages struct {
	URL string `json:"url"`
	// Search is a search for the orders of the run, Searches one for those of each form.
	Search   string                   `json:"search_url"`
	Searches map[services.Form]string `json:"search_urls"`
	// Medians is, by form, the trace of the order with the median completion of those that Jaeger still has; with relation link the
	// first of its traces.
	Medians map[services.Form]string `json:"median_trace_urls"`
	// Orders are the numbers of those orders, Forgotten is how many of a form Jaeger has no trace of any more.
	Orders    map[services.Form]int `json:"median_orders"`
	Forgotten map[services.Form]int `json:"forgotten_orders"`
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
	service := clientName
	if r.OTLP.Traces.IsZero() {
		service = services.Gateway
		result.Warnings = append(result.Warnings, "the client's own spans are sent nowhere, so in Jaeger these "+result.unit().many()+" have no root: send them with --otlp (or OTEL_EXPORTER_OTLP_ENDPOINT); this report has them")
	}
	if uiBase(r.Jaeger) == "" {
		result.Warnings = append(result.Warnings, "no links into Jaeger: "+r.Jaeger+" does not tell where its pages are; give --jaeger the URL of its UI")
	}
	if r.env.jaeger.found > 0 {
		result.Jaeger = r.jaegerPages(service)
		result.Warnings = append(result.Warnings, r.kept.warnings(result.unit(), r.Forms, r.Orders)...)
	}
}

// jaegerPages makes the addresses. The service is one whose spans every order of the run has in Jaeger. No page is told to find something
// (uiFind): that opens the details of every span that is found, and a trace fits no screen any more.
func (r *running) jaegerPages(service string) *JaegerPages {
	if !r.kept.asked {
		return nil
	}
	base := uiBase(r.Jaeger)
	pages := &JaegerPages{URL: base, Search: searchURL(base, service, r.judge.placed, map[string]string{services.KeyRun: r.name}),
		Searches: map[services.Form]string{}, Medians: map[services.Form]string{}, Orders: map[services.Form]int{}, Forgotten: r.kept.forgotten}
	for _, form := range r.Forms {
		placed := slices.DeleteFunc(slices.Clone(r.judge.placed), func(o *record) bool { return o.Form != string(form) })
		if len(placed) > 0 {
			pages.Searches[form] = searchURL(base, service, placed, map[string]string{services.KeyRun: r.name, services.KeyForm: string(form)})
		}
		if m := r.kept.medians[form]; m != nil {
			pages.Medians[form], pages.Orders[form] = fmt.Sprintf("%s/trace/%s", base, m.root.Trace), m.Number
		}
	}
	if call := r.kept.twin; call != nil {
		message := r.kept.medians[firstKept(r.kept.medians, services.Kafka, services.Hybrid)]
		pages.Comparison = &JaegerComparison{Base: services.Form(call.Form), Other: services.Form(message.Form), Order: call.Number,
			URL: fmt.Sprintf("%s/trace/%s...%s?cohort=%[2]s&cohort=%[3]s", base, call.root.Trace, message.root.Trace)}
	}
	return pages
}

// TraceURL is the address of a trace in the UI of a Jaeger; "" when its address does not tell where that is.
func TraceURL(jaeger string, trace journey.TraceID) string {
	if base := uiBase(jaeger); base != "" {
		return fmt.Sprintf("%s/trace/%s", base, trace)
	}
	return ""
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
func searchURL(base, service string, orders []*record, attributes map[string]string) string {
	first, last := orders[0].Intended, time.Time{}
	for _, o := range orders {
		if o.Intended.Before(first) {
			first = o.Intended
		}
		if end := o.Intended.Add(time.Duration(o.Response)); end.After(last) {
			last = end
		}
	}
	tags, _ := json.Marshal(attributes) // strings can be encoded
	micros := func(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
	return base + "/search?" + url.Values{
		"service": {service}, "tags": {string(tags)}, "lookback": {"custom"},
		"start": {micros(first.Add(-time.Second))}, "end": {micros(last.Add(time.Second))},
		// With room for the warm-up: not every Jaeger looks at the tags before it counts.
		"limit": {strconv.Itoa(min(max(2*len(orders), usualSearchLimit), uiSearchLimit))},
	}.Encode()
}
