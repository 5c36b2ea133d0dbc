package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
	"tracelab/journey/report"
)

var (
	update = flag.Bool("update", false, "rewrite the golden files")
	ansi   = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// order returns the journey drawn in testdata.
func order(t testing.TB) *journey.Journey {
	t.Helper()
	drawing, err := os.ReadFile(filepath.Join("testdata", "order.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return journeys(t, string(drawing))[0]
}

func journeys(t testing.TB, drawing string) []*journey.Journey {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(spans).Journeys()
}

// golden compares output with a file that -update rewrites.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func TestJourneyText(t *testing.T) {
	var b bytes.Buffer
	if err := (report.Journey{Of: order(t)}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "journey.text.golden", b.Bytes())
}

func TestJourneyJSON(t *testing.T) {
	var b bytes.Buffer
	if err := (report.Journey{Of: order(t)}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "journey.json.golden", b.Bytes())
	var d struct {
		Completion     int64 `json:"completion_ns"`
		CompletionPath []struct {
			Kind       string
			Start, End int64
			StartNS    int64 `json:"start_ns"`
			EndNS      int64 `json:"end_ns"`
		} `json:"completion_path"`
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, g := range d.CompletionPath {
		if g.StartNS != at || g.EndNS <= g.StartNS {
			t.Errorf("segment [%d,%d] does not go on from %d", g.StartNS, g.EndNS, at)
		}
		at = g.EndNS
	}
	if at != d.Completion || at == 0 {
		t.Errorf("the path ends at %d, the completion is %d", at, d.Completion)
	}
}

// A journey without a root has nulls where there is nothing to say, and lists that are empty, not missing.
func TestJourneyJSONWithoutARoot(t *testing.T) {
	var b bytes.Buffer
	if err := (report.Journey{Of: journeys(t, "C CONSUMER 0-10 op=process")[0]}).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"root": null`, `"caller_wait_ns": null`, `"tail_ns": null`, `"response_path": []`, `"messages": []`, `"rule": "P02"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in:\n%s", want, b.String())
		}
	}
	var text bytes.Buffer
	if err := (report.Journey{Of: journeys(t, "C CONSUMER 0-10 op=process")[0]}).WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text.String(), "Journey without a root\n") || strings.Contains(text.String(), "Response path") {
		t.Errorf("text:\n%s", text.String())
	}
}

// Names come from strangers: what a terminal would obey is shown, not sent.
func TestTextEscapesControlCharacters(t *testing.T) {
	spans, err := draw.Spans("S 0-100 error\n  P PRODUCER 10-20 topic=t\n    C CONSUMER 60-160 topic=t group=g")
	if err != nil {
		t.Fatal(err)
	}
	for _, evil := range []string{"a\x1b[2Jb\nc\u202ed\xffe\u0085f", "a\x1b[2Jb\nc\u202ed\u0085f"} {
		escapes(t, spans, evil)
	}
}

func escapes(t *testing.T, spans []journey.Span, evil string) {
	t.Helper()
	for i := range spans {
		spans[i].Service, spans[i].Name, spans[i].StatusMessage = evil, evil, evil
		for k := range spans[i].Attributes {
			spans[i].Attributes[k].Value = journey.StringValue(evil)
		}
	}
	j := journey.NewSet(spans).Journeys()[0]
	var b bytes.Buffer
	if err := (report.Journey{Of: j}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if err := (report.Bars{Title: evil, Set: j.Set(), Path: j.CompletionPath()}).WriteText(&b, format.Style{Width: 200}); err != nil {
		t.Fatal(err)
	}
	c := compare.Groups([]compare.Group{{Name: evil, Journeys: []*journey.Journey{j}}, {Name: evil, Journeys: []*journey.Journey{j}}})
	c.Warnings = []string{evil}
	if err := (report.Comparison{Of: c}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\u202e", "\xff", "\u0085", "b\nc"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q is in the text", bad)
		}
	}
	if !strings.Contains(b.String(), `a\x1b[2Jb\nc\u202ed`) || !strings.Contains(b.String(), `\u0085f`) {
		t.Errorf("the name is not shown with escapes:\n%s", b.String())
	}
}

// comparison compares n orders by calls with as many by messages, numbered so that they pair. Their times differ by up to 6 %.
func comparison(t testing.TB, n int) compare.Comparison {
	t.Helper()
	var groups []compare.Group
	for _, form := range []string{"grpc", "kafka"} {
		drawing, err := os.ReadFile(filepath.Join("..", "compare", "testdata", form+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		g := compare.Group{Name: form}
		for i := range n {
			scale := 1 + float64(i%7)/100
			if form == "kafka" {
				scale = 1 + float64(i%5)/100
			}
			text := drawnTimes.ReplaceAllStringFunc(string(drawing), func(s string) string {
				var from, to float64
				if _, err := fmt.Sscanf(s, "%g-%g", &from, &to); err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%g-%g", from*scale, to*scale)
			})
			text = strings.Replace(text, "\n  gateway.POST", fmt.Sprintf(" order.number=%d\n  gateway.POST", i), 1)
			g.Journeys = append(g.Journeys, journeys(t, text)...)
		}
		groups = append(groups, g)
	}
	return compare.Groups(groups, compare.WithPairs(compare.ByAttribute("order.number")))
}

func TestComparison(t *testing.T) {
	var text, doc bytes.Buffer
	c := comparison(t, 25)
	if err := (report.Comparison{Of: c}).WriteText(&text, format.Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.text.golden", text.Bytes())
	small := compare.Groups([]compare.Group{
		{Name: "call", Journeys: journeys(t, "s.in SERVER 0-9\n  s.call CLIENT 1-8\n    w.Do SERVER 2-7 error\n      w.Step 3-6")},
		{Name: "message", Journeys: journeys(t, "s.in SERVER 0-4\n  s.send PRODUCER 1-3 topic=t\n    w.process CONSUMER 5-9 op=process topic=t group=w\n      w.Step 6-8")},
	})
	if err := (report.Comparison{Of: small}).WriteJSON(&doc); err != nil {
		t.Fatal(err)
	}
	golden(t, "comparison.json.golden", doc.Bytes())
}

func TestComparisonOfTooFew(t *testing.T) {
	var b bytes.Buffer
	if err := (report.Comparison{Of: comparison(t, 5)}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "caller wait  ~ 46.9 ms less, with 5 of the 6 pairs that it takes to say") {
		t.Errorf("text:\n%s", b.String())
	}
	b.Reset()
	if err := (report.Comparison{Of: compare.Comparison{}}).WriteJSON(&b); err != nil || strings.Contains(b.String(), "null") || !strings.Contains(b.String(), `"nodes": []`) {
		t.Errorf("of nothing: %v\n%s", err, b.String())
	}
}

// A span with several causes is shown once, under the one that was ready last.
func TestTreeShowsTheLastCause(t *testing.T) {
	j := journeys(t, "S 0-50\n  P1 PRODUCER 10-20\n  P2 PRODUCER 30-40\n  P3 PRODUCER 20-30\nW CONSUMER 65-200 link=P1 link=P2 link=P3 trace=2")[0]
	var b bytes.Buffer
	if err := (report.Journey{Of: j}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "135 ms      W  W"); n != 1 || !strings.Contains(b.String(), " P2  P2\n  65.0 ms    135 ms      W  W  [message, queue wait 25.0 ms, trace 00000000000000000000000000000002]\n") {
		t.Errorf("W is there %d times, or not under P2:\n%s", n, b.String())
	}
}

// A deep or wide tree is cut off with a note, not printed for ever.
func TestTreeIsBounded(t *testing.T) {
	var drawing strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&drawing, "%sA%d %d-%d\n", strings.Repeat(" ", i), i, i, 10000-i)
	}
	var b bytes.Buffer
	if err := (report.Journey{Of: journeys(t, drawing.String())[0]}).WriteText(&b, format.Style{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "and 1600 more spans") {
		t.Errorf("no note of what is left out in %d bytes", b.Len())
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReturned(t *testing.T) {
	j := order(t)
	c := comparison(t, 6)
	for name, err := range map[string]error{
		"Bars":           (report.Bars{Title: "x", Set: j.Set(), Path: j.CompletionPath()}).WriteText(fullDisk{}, format.Style{}),
		"JourneyText":    (report.Journey{Of: j}).WriteText(fullDisk{}, format.Style{}),
		"JourneyJSON":    (report.Journey{Of: j}).WriteJSON(fullDisk{}),
		"ComparisonText": (report.Comparison{Of: c}).WriteText(fullDisk{}, format.Style{}),
		"ComparisonJSON": (report.Comparison{Of: c}).WriteJSON(fullDisk{}),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s returns %v", name, err)
		}
	}
}
