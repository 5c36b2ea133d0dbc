package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"tracelab/journey/format"
	"tracelab/journey/report"
)

func TestBarsFitTheWidth(t *testing.T) {
	j := order(t)
	for _, width := range []int{0, 60, 72, 80, 90, 100, 140} {
		for _, color := range []bool{false, true} {
			var b bytes.Buffer
			if err := (report.Bars{Title: "order", Set: j.Set(), Path: j.CompletionPath(), Marks: report.Answer(j)}).WriteText(&b, format.Style{Color: color, Width: width}); err != nil {
				t.Fatal(err)
			}
			if color != strings.Contains(b.String(), "\x1b[") {
				t.Errorf("color is %v, but not in the output", color)
			}
			lines := strings.Split(strings.TrimSpace(ansi.ReplaceAllString(b.String(), "")), "\n")
			if len(lines) < 12 || len(lines) > 22 {
				t.Errorf("an order of %d spans takes %d lines", j.Len(), len(lines))
			}
			limit := width
			if width == 0 {
				limit = format.DefaultWidth
			}
			for _, line := range lines[1:] {
				if n := runewidth.StringWidth(line); n > limit {
					t.Errorf("width %d: a line of %d columns: %s", limit, n, line)
				}
			}
		}
	}
}

// Every nanosecond of a path is in a row or in the note of what is not shown.
func TestBarsAccountForEverything(t *testing.T) {
	var drawing strings.Builder
	drawing.WriteString("S 0-1000\n")
	for i := range 300 {
		fmt.Fprintf(&drawing, "  A%d %d-%d\n", i, i*3, i*3+1)
	}
	j := journeys(t, drawing.String())[0]
	var b bytes.Buffer
	if err := (report.Bars{Title: "many", Set: j.Set(), Path: j.CompletionPath()}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "1.00 s in 600 segments") || !strings.Contains(b.String(), "599 short pieces") {
		t.Errorf("bars:\n%s", b.String())
	}
	if err := (report.Bars{Title: "nothing", Set: j.Set(), Path: nil}).WriteText(&b, format.Style{}); err != nil || !strings.HasSuffix(b.String(), "nothing: nothing to draw\n") {
		t.Errorf("of no path: %v\n%s", err, b.String())
	}
}

func TestBarsTellWaitsApart(t *testing.T) {
	j := journeys(t, `
		S1 0-50
		  P1 PRODUCER 10-20 topic=t
		S2 5-55 trace=2
		  P2 PRODUCER 35-45 topic=t
		W CONSUMER 60-90 link=P1 link=P2 trace=3
		  G 100-120`)[0]
	var b bytes.Buffer
	if err := (report.Bars{Title: "batch", Set: j.Set(), Path: j.CompletionPath()}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "bars.golden", b.Bytes())
}

var drawnTimes = regexp.MustCompile(`([\d.]+)-([\d.]+)`)
