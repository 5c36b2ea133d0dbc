package page

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"html/template"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/services"
)

// manySpans makes a journey of 10,000 spans.
func manySpans(form string) *journey.Journey { return messagesSent(form, 10_000) }

// messagesSent makes a journey of so many spans: a client's call, below which messages are sent one after the other, each handled in a step.
func messagesSent(form string, n int) *journey.Journey {
	const base = 1_750_000_000_000_000_000
	id := func(k int) (s journey.SpanID) {
		binary.BigEndian.PutUint64(s[:], uint64(k)+1)
		return s
	}
	trace := journey.TraceID{1}
	span := func(k, parent int, service, name string, kind journey.Kind, from, to int64, attributes ...journey.Attribute) journey.Span {
		s := journey.Span{Trace: trace, ID: id(k), Start: base + from*1000, End: base + to*1000, Kind: kind, Service: service, Name: name, Attributes: attributes}
		if parent >= 0 {
			s.Parent = id(parent)
		}
		return s
	}
	text := func(key, value string) journey.Attribute {
		return journey.Attribute{Key: key, Value: journey.StringValue(value)}
	}
	spans := []journey.Span{span(0, -1, "client", "POST /orders", journey.KindClient, 0, 100, text(services.KeyNumber, "1"), text(services.KeyForm, form))}
	for k := 1; len(spans)+2 < n; k += 3 {
		at := int64(100 + 10*k)
		headers := text("messaging.header.traceparent", fmt.Sprintf(`["00-%s-%s-01"]`, trace, id(k)))
		spans = append(spans,
			span(k, 0, "orders", "send order.placed", journey.KindProducer, at, at+3, text("messaging.operation.type", "send"), text("messaging.destination.name", "order.placed"), headers),
			span(k+1, k, "inventory", "process order.placed", journey.KindConsumer, at+5, at+9, text("messaging.operation.type", "process"), text("messaging.destination.name", "order.placed"), headers),
			span(k+2, k+1, "inventory", "inventory.Reserve", journey.KindInternal, at+6, at+8, text(services.KeyStep, "inventory.Reserve")))
	}
	return journey.NewSet(spans).Journeys()[0]
}

// views are the templates of a server.
func views() map[string]*template.Template { return New(nil, Config{}).views }

func drawPage(tb testing.TB, views map[string]*template.Template, k knownJourney, q journeyQuery) string {
	tb.Helper()
	var b bytes.Buffer
	if err := views["journey.html"].ExecuteTemplate(&b, "journey", newJourneyPage(k, q)); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// most is how many bytes a page may have; the layout around this part has less than 8 KB.
const mostPage = 192 << 10

// TestManySpansAreFolded opens a journey of 10,000 spans with its twin: the page stays small, and says what it leaves out. Its cost is bounded in
// allocations, which a busy machine does not change.
func TestManySpansAreFolded(t *testing.T) {
	testkit.Unraced(t, "TestHostileSpans")
	of := manySpans("kafka")
	k := knownJourney{Unit: "order", Form: "kafka", Journey: of, Twins: []drawnJourney{{Form: "ack", Of: manySpans("ack")}}, Forms: []string{"kafka", "ack"}}
	v := views()
	for _, tab := range []string{tabSpans, tabHeaders, tabFindings, tabPrediction} {
		q := journeyQuery{Tab: tab, With: []string{"ack"}, Said: true, Span: of.Set().Span(5).ID}
		text := drawPage(t, v, k, q)
		if len(text) > mostPage {
			t.Errorf("tab %q: %d bytes", tab, len(text))
		}
		if more := fmt.Sprintf("%d more spans of kafka are folded: <a href=\"?rows=all", of.Len()-foldedRows/2); tab == tabSpans && !strings.Contains(text, more) {
			t.Error("the page does not say what it leaves out, or has no link to it")
		}
		if tab == tabHeaders && !strings.Contains(text, "more hops are not shown") {
			t.Error("the page does not say how many hops it leaves out")
		}
	}
	all := drawPage(t, v, k, journeyQuery{With: []string{withNone}, Said: true, All: true})
	if n := strings.Count(all, `<rect class="row"`); n != allRows || !strings.Contains(all, fmt.Sprintf("%d more spans of kafka are folded.", of.Len()-allRows)) {
		t.Errorf("%d rows of all, want %d and words for the rest", n, allRows)
	}
	allocations := testing.AllocsPerRun(1, func() { _ = drawPage(t, v, k, journeyQuery{}) })
	if most := 60.0 * 10_000; allocations > most {
		t.Errorf("%.0f allocations for 20,000 spans, want at most %.0f", allocations, most)
	}
}

func BenchmarkJourneyOf10000Spans(b *testing.B) {
	k := knownJourney{Unit: "order", Form: "kafka", Journey: manySpans("kafka"), Twins: []drawnJourney{{Form: "ack", Of: manySpans("ack")}}}
	v := views()
	b.ReportAllocs()
	for b.Loop() {
		drawPage(b, v, k, journeyQuery{})
	}
}

// hostile texts are what an attribute may hold.
var hostile = map[string]string{
	"script": `<script>alert(1)</script>`, "attribute": `" onmouseover="alert(1)`, "long": strings.Repeat("<b>x", 1<<18), "not UTF-8": "\xff\xfe<script>", "control": "\x00\x1b[31m\u202egpj",
	"template": `{{.Token}}`, "URL": `javascript:alert(1)`, "entity": `&lt;script&gt;`,
}

// TestHostileSpans puts hostile text wherever a span can hold text.
func TestHostileSpans(t *testing.T) {
	v := views()
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			value := journey.StringValue(text)
			trace := journey.TraceID{1}
			spans := []journey.Span{
				{Trace: trace, ID: journey.SpanID{1}, Start: 1, End: 100, Kind: journey.KindClient, Service: text, Name: text, Status: journey.StatusError, StatusMessage: text,
					Attributes: []journey.Attribute{{Key: text, Value: value}, {Key: "http.request.header." + text, Value: value}, {Key: "http.request.header.baggage", Value: value}, {Key: "http.request.header.traceparent", Value: value}},
					Resource:   &journey.Resource{Attributes: []journey.Attribute{{Key: text, Value: value}}}},
				{Trace: trace, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Start: 2, End: 90, Kind: journey.KindServer, Service: text + "2", Name: text,
					Attributes: []journey.Attribute{{Key: "http.request.header.baggage", Value: value}, {Key: "messaging.destination.name", Value: value}}, Links: []journey.Link{{Ref: journey.Ref{Trace: journey.TraceID{9}, Span: journey.SpanID{9}}}}},
			}
			k := knownJourney{Unit: "order", Form: "kafka", Journey: journey.NewSet(spans).Journeys()[0], Incomplete: text, State: "failed", Program: "tracelab"}
			for _, tab := range []string{tabSpans, tabHeaders, tabFindings, tabPrediction} {
				page := drawPage(t, v, k, journeyQuery{Tab: tab, Span: journey.SpanID{1}})
				if len(page) > mostPage {
					t.Errorf("tab %q: %d bytes", tab, len(page))
				}
				checkHarmless(t, page)
			}
		})
	}
}

// checkHarmless finds elements and attributes that no template of ours has.
func checkHarmless(t *testing.T, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(page, "\x00\x1b\u202e\ufffd") {
		t.Error("the page has characters that do not show, or that change the direction of text")
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "b") {
			t.Errorf("the page has an element <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "href" && strings.HasPrefix(a.Val, "javascript") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
}
