package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/report"
)

// page parses a page and returns its nodes.
func page(t *testing.T, write func(io.Writer) error) (nodes []*html.Node, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(root.Descendants()), b.String()
}

func elements(nodes []*html.Node, name string) []*html.Node {
	var list []*html.Node
	for _, n := range nodes {
		if n.Type == html.ElementNode && n.Data == name {
			list = append(list, n)
		}
	}
	return list
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// words returns the text below a node.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func classed(nodes []*html.Node, name, class string) []*html.Node {
	return slices.DeleteFunc(elements(nodes, name), func(n *html.Node) bool { return !slices.Contains(strings.Fields(attribute(n, "class")), class) })
}

func TestComparisonHTML(t *testing.T) {
	c := comparison(t, 25)
	nodes, text := page(t, func(w io.Writer) error { return (report.Comparison{Of: c}).WriteHTML(w) })
	if got := words(elements(nodes, "h1")[0]); got != "kafka against grpc" {
		t.Errorf("heading %q", got)
	}
	for _, want := range []string{"47.3 ms less (95 % interval: 46.5 ms to 47.9 ms, 25 pairs)", "grpc has no messages", "9 added, 5 carrier, 2 faster, 7 same", "prefers-color-scheme: dark", "@media print"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if n := len(classed(nodes, "svg", "timeline")); n != 2 {
		t.Errorf("%d timelines, want one of each group", n)
	}
	if n := len(classed(nodes, "figure", "plot")); n != 4 {
		t.Errorf("%d plots of distributions, want one of each measure", n)
	}
	table := classed(nodes, "table", "nodes")
	if len(table) != 1 {
		t.Fatalf("%d tables of nodes", len(table))
	}
	rows := elements(slices.Collect(table[0].Descendants()), "tr")
	if len(rows) != 1+len(c.Nodes)+1 {
		t.Errorf("%d rows, want the heading, %d nodes and the sum", len(rows), len(c.Nodes))
	}
	for _, cell := range classed(nodes, "td", "number") {
		if key := attribute(cell, "data-sort"); key != "" {
			if _, err := strconv.ParseFloat(key, 64); err != nil {
				t.Errorf("a cell is sorted by %q", key)
			}
		}
	}
}

// The queues of a journey are hatched, its path is drawn from its start to its end, and what failed is marked.
func TestJourneyHTML(t *testing.T) {
	j := order(t)
	nodes, text := page(t, func(w io.Writer) error { return (report.Journey{Of: j}).WriteHTML(w) })
	if n := len(classed(nodes, "rect", "wait")) - 1; n != 7 { // one is in the legend; one message of eight was there before its acknowledgement
		t.Errorf("%d queue waits are hatched, want 7", n)
	}
	if n := len(classed(nodes, "rect", "error")) - 1; n != 1 {
		t.Errorf("%d spans are marked as failed, want 1", n)
	}
	var lines []*html.Node
	for _, l := range classed(nodes, "line", "path")[1:] {
		if attribute(l, "y1") == attribute(l, "y2") {
			lines = append(lines, l)
		}
	}
	if len(lines) != len(j.CompletionPath()) || attribute(lines[0], "x1") != "0.000%" || attribute(lines[len(lines)-1], "x2") != "100.000%" {
		t.Errorf("the path of %d segments is drawn in %d pieces", len(j.CompletionPath()), len(lines))
	}
	for i := 1; i < len(lines); i++ {
		if attribute(lines[i], "x1") != attribute(lines[i-1], "x2") {
			t.Errorf("piece %d starts at %s, the one before ends at %s", i, attribute(lines[i], "x1"), attribute(lines[i-1], "x2"))
		}
	}
	for _, want := range []string{"caller wait", "6.20 ms", "73.2 ms", "67.0 ms", "notification · notification.Notify · 13.8 ms · failed", "Response path: what the caller waited for", "11.9 ms less"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	golden(t, "journey.html.golden", []byte(text))
}

// A page needs nothing but itself.
func TestPagesAreSelfContained(t *testing.T) {
	c := comparison(t, 6)
	for name, write := range map[string]func(io.Writer) error{
		"comparison": func(w io.Writer) error { return (report.Comparison{Of: c}).WriteHTML(w) },
		"journey":    func(w io.Writer) error { return (report.Journey{Of: c.Groups[0].Example}).WriteHTML(w) },
	} {
		nodes, text := page(t, write)
		for _, n := range nodes {
			for _, key := range []string{"src", "href", "action", "onclick", "style", "integrity"} {
				if attribute(n, key) != "" {
					t.Errorf("%s: <%s> has %s=%q", name, n.Data, key, attribute(n, key))
				}
			}
		}
		for _, bad := range []string{"://", "@import", "ZgotmplZ", "<no value>", "NaN"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q is on the page", name, bad)
			}
		}
	}
}

// What traces bring along stays text.
func TestPagesEscape(t *testing.T) {
	for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><b>`, `' onload='x`, "{{.}}", "a\u202eb\x00\xff"} {
		spans := func(from int64, kind journey.Kind) []journey.Span {
			return []journey.Span{
				{Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindClient, Service: evil, Name: evil, Start: 0, End: 100, Status: journey.StatusError, StatusMessage: evil},
				{Trace: journey.TraceID{1}, ID: journey.SpanID{2}, Parent: journey.SpanID{1}, Kind: kind, Service: evil, Name: evil + "2", Start: from, End: 90,
					Attributes: []journey.Attribute{{Key: "messaging.destination.name", Value: journey.StringValue(evil)}}},
				{Trace: journey.TraceID{1}, ID: journey.SpanID{3}, Parent: journey.SpanID{2}, Kind: journey.KindConsumer, Service: evil, Name: evil, Start: 95, End: 190},
				{Trace: journey.TraceID{1}, ID: journey.SpanID{4}, Parent: journey.SpanID{9}, Service: evil, Name: evil, Start: 95, End: 190},
			}
		}
		a := compare.Group{Name: evil, Journeys: journey.NewSet(spans(10, journey.KindProducer)).Journeys()}
		b := compare.Group{Name: evil + "b", Journeys: journey.NewSet(spans(20, journey.KindClient)).Journeys()}
		c := compare.Groups([]compare.Group{a, b})
		c.Warnings = []string{evil}
		for name, write := range map[string]func(io.Writer) error{
			"comparison": func(w io.Writer) error { return (report.Comparison{Of: c}).WriteHTML(w) },
			"journey":    func(w io.Writer) error { return (report.Journey{Of: a.Journeys[0]}).WriteHTML(w) },
		} {
			nodes, text := page(t, write)
			if len(elements(nodes, "script")) != 1 || len(elements(nodes, "style")) != 1 || len(elements(nodes, "img")) != 0 {
				t.Errorf("%s: %q made elements", name, evil)
			}
			for _, n := range nodes {
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") {
						t.Errorf("%s: %q made an attribute %s", name, evil, a.Key)
					}
				}
			}
			if strings.ContainsAny(text, "\u202e\x00") || strings.Contains(text, "\xff") {
				t.Errorf("%s: control characters of %q are on the page", name, evil)
			}
			if shown := strings.Contains(words(elements(nodes, "body")[0]), evil); !shown && !strings.Contains(evil, "\x00") {
				t.Errorf("%s: %q is not shown as it is", name, evil)
			}
		}
	}
}

// Of nothing, of one group and of very many spans there is a page too.
func TestPagesOfExtremes(t *testing.T) {
	if _, text := page(t, func(w io.Writer) error { return (report.Comparison{Of: compare.Comparison{}}).WriteHTML(w) }); !strings.Contains(text, "Nothing to compare") {
		t.Errorf("of nothing:\n%s", text)
	}
	one := compare.Groups([]compare.Group{{Name: "one", Journeys: journeys(t, "S 0-0")}, {Name: "none"}})
	page(t, func(w io.Writer) error { return (report.Comparison{Of: one}).WriteHTML(w) })
	var drawing strings.Builder
	drawing.WriteString("S 0-9000\n")
	for i := range 3000 {
		fmt.Fprintf(&drawing, "  A%d %d-%d\n", i, i*3, i*3+1)
	}
	j := journeys(t, drawing.String())
	many := compare.Groups([]compare.Group{{Name: "a", Journeys: j}, {Name: "b", Journeys: j}})
	nodes, text := page(t, func(w io.Writer) error { return (report.Comparison{Of: many}).WriteHTML(w) })
	if rows := len(elements(slices.Collect(classed(nodes, "table", "nodes")[0].Descendants()), "tr")); rows != 502 || !strings.Contains(text, "and 2501 more nodes") || !strings.Contains(text, "and 2881 more spans") {
		t.Errorf("%d rows in a page of %d bytes", rows, len(text))
	}
	if _, text := page(t, func(w io.Writer) error {
		return (report.Journey{Of: journeys(t, "C CONSUMER 0-10 op=process")[0]}).WriteHTML(w)
	}); !strings.Contains(text, "Journey without a root") {
		t.Error("a rootless journey has no page")
	}
}

func TestPageWriteErrorsAreReturned(t *testing.T) {
	if err := (report.Comparison{Of: compare.Comparison{}}).WriteHTML(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("ComparisonHTML returns %v", err)
	}
	if err := (report.Journey{Of: order(t)}).WriteHTML(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("JourneyHTML returns %v", err)
	}
}
