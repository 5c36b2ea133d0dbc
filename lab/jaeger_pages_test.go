package lab_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/journey/source/jaeger"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

func TestJaegerPages(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, strings.Replace(s.URL, "//", "//user:secret@", 1), s.otlp, asIs)
	pages := result.Jaeger
	if pages == nil || pages.URL != s.URL || len(pages.Medians) != 4 || pages.Comparison == nil {
		t.Fatalf("%+v", pages)
	}
	for form, page := range pages.Medians {
		address := readPage(t, page)
		if median := result.MedianJourney(form).Set().Span(result.MedianJourney(form).Spans()[0]).Trace; address.Traces[0] != median {
			t.Errorf("%s: the page of %v, want that of %v", form, address.Traces[0], median)
		}
	}
	orders := map[string]rundir.Order{}
	for _, o := range readOrders(t, result) {
		orders[o.Trace] = o
	}
	c := pages.Comparison
	both := readPage(t, c.URL)
	a, b := orders[both.Traces[0].String()], orders[both.Traces[1].String()]
	if !both.Comparison || a.Form != "grpc" || b.Form != "kafka" || a.Number != b.Number || a.Number != c.Order || string(c.Base) != a.Form || string(c.Other) != b.Form {
		t.Errorf("%s compares %s %d with %s %d; %+v", c.URL, a.Form, a.Number, b.Form, b.Number, c)
	}
	q := readPage(t, pages.Search).Search
	if q.Service != "client" || q.Attributes[services.KeyRun] != result.Run || q.Limit != 100 {
		t.Errorf("%+v", q)
	}
	for _, o := range orders {
		if o.Intended.Before(q.Start) || o.Intended.After(q.End) {
			t.Errorf("order at %v is not in the search from %v to %v", o.Intended, q.Start, q.End)
		}
	}
	for form, page := range pages.Searches {
		if q := readPage(t, page).Search; q.Attributes[services.KeyForm] != string(form) || q.Attributes[services.KeyRun] != result.Run {
			t.Errorf("%s: a search for %v", form, q.Attributes)
		}
		if strings.Contains(pages.Medians[form], "uiFind") {
			t.Errorf("%s opens detail panes", pages.Medians[form])
		}
	}
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{pages.Search, pages.Searches[services.REST], c.URL, pages.Medians[services.Kafka], "critical path ends with the answer", "tracelab compare "} {
		if !strings.Contains(text.String(), link) {
			t.Errorf("the report does not have %s", link)
		}
	}
	if strings.Contains(text.String(), "secret") {
		t.Error("the report tells the password")
	}
}

// TestJaegerForgets: by the time of the report Jaeger has lost the older half of the run. Links lead to what is there, and the report says
// what is gone.
func TestJaegerForgets(t *testing.T) {
	testkit.Unraced(t, "TestJaegerIsFollowed")
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	s.later.Store(12)
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) { c.Orders = 6 })
	there := map[string]bool{}
	for id := range s.kept(s.everything(t)) {
		there[id.String()] = true
	}
	orders := map[string]rundir.Order{}
	for _, o := range readOrders(t, result) {
		orders[o.Trace] = o
	}
	gone := map[services.Form]int{}
	for id, o := range orders {
		if !there[id] {
			gone[services.Form(o.Form)]++
		}
	}
	if len(gone) == 0 {
		t.Fatal("nothing was forgotten: the test shows nothing")
	}
	for form, page := range result.Jaeger.Medians {
		id := readPage(t, page).Traces[0].String()
		if !there[id] || orders[id].Form != string(form) || result.Jaeger.Orders[form] != orders[id].Number {
			t.Errorf("%s: the link leads to order %v, which is there: %v", form, orders[id], there[id])
		}
	}
	var text strings.Builder
	if err := result.WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), " of the 24 orders of the run ") || strings.Contains(text.String(), "every order of the run") {
		t.Error("the link to a search does not say that the page lists a part of the run")
	}
	// Which are gone is found by halves, as if Jaeger forgot orders in the order in which they were placed; spans come nearly so.
	for form, n := range gone {
		got := result.Jaeger.Forgotten[form]
		if got < n-2 || got > n+2 {
			t.Errorf("%s: %d orders are said to be forgotten, want about %d", form, got, n)
		}
		if text := strings.Join(result.Warnings, "\n"); got > 0 && (!strings.Contains(text, fmt.Sprintf("Jaeger has forgotten about %d of the 6 orders of %s", got, form)) || !strings.Contains(text, "JAEGER_MAX_TRACES")) {
			t.Errorf("%s: warnings %s", form, text)
		}
	}
}

func readPage(t *testing.T, page string) jaeger.Address {
	t.Helper()
	address, err := jaeger.ParseAddress(page, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if u, err := url.Parse(page); err != nil || u.RawQuery != "" && u.Query() == nil {
		t.Errorf("%s: %v", page, err)
	}
	return address
}

func TestWithoutTheClientsSpansInJaeger(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	to := startTarget(t, s.otlp, unchanged)
	result := runJaeger(t, to, s.URL, "", asIs)
	if !slices.ContainsFunc(result.Warnings, func(w string) bool { return strings.Contains(w, "send them with --otlp") }) || len(result.Problems) > 0 {
		t.Errorf("warnings %q, problems %q", result.Warnings, result.Problems)
	}
	if f := result.Forms[services.REST]; f.Journeys != 3 || f.CallerWait.N != 3 {
		t.Errorf("%d journeys, %d caller waits: the client's spans of this process count", f.Journeys, f.CallerWait.N)
	}
	if q := readPage(t, result.Jaeger.Search).Search; q.Service != services.Gateway {
		t.Errorf("the search is for spans of %s, which are not there", q.Service)
	}
}
