package report_test

import (
	"bytes"
	"strings"
	"testing"

	"tracelab/journey/format"
	"tracelab/journey/report"
)

func colorOfKafka(group string) report.GroupColor {
	if group == "kafka" {
		return report.GroupColor{Hex: "#D55E00", Terminal: "\x1b[1;38;5;166m"}
	}
	return report.GroupColor{}
}

// TestGroupColors holds that a group has its color everywhere on a page and in the table of text, and that others have none.
func TestGroupColors(t *testing.T) {
	r := report.Comparison{Of: comparison(t, 25), Color: colorOfKafka}
	nodes, text := page(t, r.WriteHTML)
	for _, n := range classed(nodes, "section", "group") {
		want := map[bool]string{true: "border-left-color: #D55E00"}[strings.HasPrefix(words(n), "kafka")]
		if got := attribute(n, "style"); got != want {
			t.Errorf("the card of %.10q has the style %q, want %q", words(n), got, want)
		}
	}
	if n := len(classed(nodes, "i", "swatch")); n != 2 {
		t.Errorf("%d swatches, want one at kafka's timeline and one at its structures", n)
	}
	bars := 0
	for _, n := range elements(nodes, "rect") {
		if attribute(n, "style") == "fill: #D55E00" && attribute(n, "class") == "on" {
			bars++
		}
	}
	if bars < 4 {
		t.Errorf("%d bars of histograms have kafka's color", bars)
	}
	if strings.Contains(text, "ZgotmplZ") {
		t.Error("a color was refused by the template")
	}
	var colored bytes.Buffer
	if err := r.WriteText(&colored, format.Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(colored.String(), "\x1b[1;38;5;166mkafka\x1b[0m"); n != 1 {
		t.Errorf("the table names kafka in its color %d times", n)
	}
	r.Color = nil
	if _, plain := page(t, r.WriteHTML); strings.Contains(plain, "#D55E00") || strings.Contains(plain, `class="swatch"`) {
		t.Error("a page without colors has some")
	}
}

// TestJourneyColor holds that a page names what a journey is one of, in its color, and that the title has it in a terminal.
func TestJourneyColor(t *testing.T) {
	r := report.Journey{Of: comparison(t, 25).Groups[0].Example, Group: "kafka", Color: colorOfKafka("kafka")}
	nodes, text := page(t, r.WriteHTML)
	swatches := classed(nodes, "i", "swatch")
	if len(swatches) != 1 || attribute(swatches[0], "style") != "background: #D55E00" || words(swatches[0].Parent) != "kafka" {
		t.Errorf("%d swatches, want one, kafka's, beside its name:\n%.600s", len(swatches), text)
	}
	var colored bytes.Buffer
	if err := r.WriteText(&colored, format.Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if title, _, _ := strings.Cut(colored.String(), "\n"); !strings.HasPrefix(title, "\x1b[1;38;5;166m") {
		t.Errorf("the title is %q, want kafka's color", title)
	}
	if _, plain := page(t, (report.Journey{Of: r.Of}).WriteHTML); strings.Contains(plain, `class="swatch"`) || strings.Contains(plain, `class="of"`) {
		t.Error("a journey of no group has a swatch")
	}
}
