package report_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/report"
)

// text writes a report for a width.
func text(t *testing.T, width int, write func(io.Writer, format.Style) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, format.Style{Width: width}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextFitsTheWidth(t *testing.T) {
	for _, width := range []int{80, 100, 120} {
		for name, write := range map[string]func(io.Writer, format.Style) error{
			"comparison": report.Comparison{Of: comparison(t, 25), About: []string{strings.Repeat("where it comes from ", 9)}}.WriteText,
			"journey":    report.Journey{Of: order(t), About: []string{strings.Repeat("where it comes from ", 9)}}.WriteText,
		} {
			for line := range strings.Lines(text(t, width, write)) {
				if n := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%s at %d columns: %d in %q", name, width, n, line)
				}
			}
		}
	}
}

// Most journeys became slower and the mean fell: the word and the number beside it go by the median, both.
func TestTheWordAndTheNumberAgree(t *testing.T) {
	group := func(name string, times ...float64) compare.Group {
		g := compare.Group{Name: name}
		for i, ms := range times {
			g.Journeys = append(g.Journeys, journeys(t, fmt.Sprintf("s.in SERVER 0-%g order.number=%d", ms, i))...)
		}
		return g
	}
	base := group("base", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100)
	other := group("other", 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3)
	for _, opts := range [][]compare.Option{{compare.WithPairs(compare.ByAttribute("order.number"))}, nil} {
		r := report.Comparison{Of: compare.Groups([]compare.Group{base, other}, opts...)}
		if got := text(t, 200, r.WriteText); !strings.Contains(got, "slower  s        s.in     12  1.00 ms +1.00 ms") {
			t.Errorf("no slower with +1.00 ms in\n%s", got)
		}
		if _, page := page(t, r.WriteHTML); !strings.Contains(page, `<td class="number more" data-label="own time" data-sort="1e&#43;06">1.00 ms &#43;1.00 ms</td>`) {
			t.Errorf("no such cell in\n%s", page)
		}
	}
}

func TestNamesKeepTheirTellingEnd(t *testing.T) {
	got := text(t, 80, report.Journey{Of: journeys(t, "shop.v1.checkout.CheckoutService/PlaceOrder 0-9")[0]}.WriteText)
	if !strings.Contains(got, "…ut.CheckoutService/PlaceOrder ") {
		t.Errorf("the method's name is not in the bars:\n%s", got)
	}
}

func TestStructureWords(t *testing.T) {
	structure := compare.Structure{Journeys: 2, Nodes: 6, Example: "ab", More: []string{"j complete", "a b", "n new"}, Less: []string{"j complete", "a b", "o old"}, Joined: []string{"j complete"}, Moved: []string{"a b"}}
	c := compare.Comparison{Groups: []compare.GroupSummary{{Name: "g", Journeys: 8, Structures: []compare.Structure{{Journeys: 6, Nodes: 6}, structure}}}}
	want := "2 journeys of 6 nodes: another branch ended last, before j complete, elsewhere: a b, more of n new, less of o old, such as trace ab"
	if got := text(t, 200, report.Comparison{Of: c}.WriteText); !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// A page of several pairs of groups names each of them, not all against the first.
func TestTitleNamesWhatIsCompared(t *testing.T) {
	c := compare.Comparison{Groups: []compare.GroupSummary{{Name: "1/a"}, {Name: "2/a"}, {Name: "1/b"}, {Name: "2/b"}}, Differences: []compare.Difference{
		{Base: "1/a", Other: "2/a", Measure: compare.Completion}, {Base: "1/a", Other: "2/a", Measure: compare.Tail}, {Base: "1/b", Other: "2/b", Measure: compare.Completion},
	}}
	nodes, _ := page(t, report.Comparison{Of: c}.WriteHTML)
	if got := words(elements(nodes, "h1")[0]); got != "2/a against 1/a; 2/b against 1/b" {
		t.Errorf("title %q", got)
	}
}

// A journey that took no time has no path, and no heading of one.
func TestNoHeadingWithoutAPath(t *testing.T) {
	j := journeys(t, "s.in SERVER 5-5")[0]
	_, page := page(t, report.Journey{Of: j}.WriteHTML)
	for what, got := range map[string]string{"text": text(t, 80, report.Journey{Of: j}.WriteText), "page": page} {
		if strings.Contains(got, "Response path") || strings.Contains(got, "Completion path") || strings.Contains(got, "<h2>Paths</h2>") {
			t.Errorf("%s has a heading of a path:\n%s", what, got)
		}
	}
}
