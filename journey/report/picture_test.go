package report_test

import (
	"bytes"
	"html/template"
	"io"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/report"
)

// Three messages: one whose handling names its sender as parent and by a link, one by a link alone, and one by its parent alone.
const references = `gateway.post SERVER 0-50
  gateway.send PRODUCER 10-20 op=send topic=t
    orders.process CONSUMER 30-40 op=process topic=t link=gateway.send
      orders.send PRODUCER 32-36 op=send topic=u
stock.process CONSUMER 50-60 op=process topic=u link=orders.send trace=2
  stock.send PRODUCER 52-54 op=send topic=v
    mail.process CONSUMER 70-80 op=process topic=v
`

// picture draws a journey by the template that pages of others use.
func picture(t *testing.T, j *journey.Journey, o report.TimelineOptions) func(io.Writer) error {
	t.Helper()
	templates, err := report.PictureTemplates(template.New(""))
	if err != nil {
		t.Fatal(err)
	}
	return func(w io.Writer) error {
		return templates.ExecuteTemplate(w, "timeline", report.NewTimeline(j, o))
	}
}

func TestTimelineDrawsReferences(t *testing.T) {
	j := journeys(t, references)[0]
	nodes, _ := page(t, picture(t, j, report.TimelineOptions{Edges: true, Response: true}))
	for class, want := range map[string]int{"parent": 4, "both": 1, "link": 1, "related": 0} {
		if n := len(classed(nodes, "line", class)); n != want {
			t.Errorf("%d lines of class %s, want %d", n, class, want)
		}
	}
	link := classed(nodes, "line", "link")[0]
	if attribute(link, "x1") != attribute(link, "x2") || attribute(link, "x1") != "45.000%" || attribute(link, "marker-end") == "" {
		t.Errorf("the link is drawn at %s, %s: want an arrow at the end of the sending, 36 of 80 ms", attribute(link, "x1"), attribute(link, "x2"))
	}
	if n := len(classed(nodes, "line", "response")); n == 0 {
		t.Error("the response path is not drawn")
	}
	if nodes, _ = page(t, picture(t, j, report.TimelineOptions{})); len(classed(nodes, "line", "edge"))+len(classed(nodes, "line", "response")) > 0 {
		t.Error("a picture shows what nobody asked for")
	}
}

func TestTimelineLinksItsRows(t *testing.T) {
	j := journeys(t, references)[0]
	chosen, _ := j.Root()
	o := report.TimelineOptions{
		Rows: 3, Chosen: j.Set().Span(chosen).ID,
		Href: func(i journey.Index) string { return "?span=" + j.Set().Span(i).ID.String() },
		Step: func(s *journey.Span) bool { return strings.HasSuffix(s.Name, "process") },
	}
	nodes, _ := page(t, picture(t, j, o))
	links := elements(nodes, "a")
	if len(links) != 3 || attribute(links[0], "href") != "?span=0000000000000001" || attribute(links[0], "aria-current") != "true" || attribute(links[1], "aria-current") != "" {
		t.Errorf("%d rows are links, want 3 of which the first is chosen", len(links))
	}
	if n := len(classed(nodes, "text", "step")); n != 1 {
		t.Errorf("%d rows are named in bold, want 1", n)
	}
	if svg := classed(nodes, "svg", "timeline")[0]; attribute(svg, "role") != "group" {
		t.Error("a picture whose rows are links hides them from screen readers")
	}
	if d := report.NewTimeline(j, o); d.Left != 4 {
		t.Errorf("%d spans are left out, want 4", d.Left)
	}
}

// A picture of nothing can be drawn.
func TestTimelineOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := picture(t, nil, report.TimelineOptions{Edges: true, Response: true})(&b); err != nil {
		t.Fatal(err)
	}
}

// What a page needs of headers beside what a terminal shows.
func TestHeadersOfHops(t *testing.T) {
	const trace = "00000000000000000000000000000001"
	j := journeys(t, strings.ReplaceAll(hops, "00-T-", "00-"+trace+"-"))[0]
	list := report.HeadersOf(j)
	if len(list) != 2 {
		t.Fatalf("%d hops, want 2", len(list))
	}
	line := list[1].Lines[3]
	if list[1].To < 0 || line.Name != "traceparent" {
		t.Fatalf("hop %+v", list[1])
	}
	if line.Raw != "00-"+trace+"-0000000000000003-01" || line.Was != "00-"+trace+"-0000000000000001-01" {
		t.Errorf("traceparent %q was %q", line.Raw, line.Was)
	}
}
