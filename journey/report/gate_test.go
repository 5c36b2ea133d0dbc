package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"tracelab/journey/compare"
	"tracelab/journey/report"
)

// endpoints makes a group of two endpoints with as many journeys as said; an endpoint takes 10 or 100 ms, times slower.
func endpoints(t testing.TB, name string, fast, slow int, slower float64) compare.Group {
	t.Helper()
	g := compare.Group{Name: name}
	for i := range fast {
		g.Journeys = append(g.Journeys, journeys(t, fmt.Sprintf("GET/fast SERVER 0-%g service=shop order.number=%d", 10+float64(i%10)/10, i))...)
	}
	for i := range slow {
		g.Journeys = append(g.Journeys, journeys(t, fmt.Sprintf("GET/slow SERVER 0-%g service=shop order.number=%d", (100+float64(i%10))*slower, i))...)
	}
	return g
}

func gated(t testing.TB, failUndecided bool, limits ...string) report.Comparison {
	t.Helper()
	groups := []compare.Group{endpoints(t, "base", 30, 8, 1), endpoints(t, "new", 8, 30, 1.2)}
	groups[1].Journeys = append(groups[1].Journeys, journeys(t, "GET/new|x SERVER 0-1 service=shop")...)
	var gate compare.Gate
	for _, text := range limits {
		l, err := compare.ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		gate.Limits = append(gate.Limits, l)
	}
	key := compare.WithPairs(compare.ByAttribute("order.number"))
	return report.Comparison{Of: compare.Groups(groups, key), Gate: &report.Gate{Judgment: gate.Judge(groups, key), FailUndecided: failUndecided}}
}

func TestRootsAndGateInEveryFormat(t *testing.T) {
	r := gated(t, false, "completion>5%", "queue wait>5%")
	got := text(t, 80, r.WriteText)
	for _, want := range []string{
		"Gate failed: 1 fail, 2 undecided, 1 pass (undecided counts as pass)\n",
		"  fail       completion>5%  shop GET/slow\n",
		"+20.0 % [+20.0 %, +20.0 %], 8 pairs",
		"Journeys by root: each is compared with its own kind",
		"  shop GET/new|x     0    1\n",
		"── shop GET/fast ──",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for line := range strings.Lines(got) {
		if n := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	var b bytes.Buffer
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### new against base\n", "**Gate failed: 1 fail", "| fail | completion&gt;5% | shop GET/slow | +20.0 %", "#### shop GET/fast\n", `shop GET/new\|x is not compared: 0 in base, 1 in new`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Markdown: no %q in\n%s", want, b.String())
		}
	}
	_, page := page(t, r.WriteHTML)
	for _, want := range []string{"Gate failed: 1 fail", "<h2>shop GET/fast</h2>", "shop GET/new|x is not compared"} {
		if !strings.Contains(page, want) {
			t.Errorf("page: no %q", want)
		}
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Measures []compare.Difference
		Nodes    []compare.Node
		Roots    []struct{ Root string }
		OneSided []struct {
			Root     string
			Journeys map[string]int
		} `json:"one_sided"`
		Gate struct {
			Outcome string
			Passed  bool
			Checks  []struct {
				Limit, Outcome, Root string
				Delta                *float64
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Roots) != 2 || d.Measures[0].Root != d.Roots[0].Root || d.Nodes[0].Root == "" || d.OneSided[0].Journeys["new"] != 1 || d.Gate.Outcome != "fail" || d.Gate.Passed || len(d.Gate.Checks) != 4 {
		t.Errorf("JSON: %+v", d)
	}
}

func TestJUnit(t *testing.T) {
	for _, c := range []struct {
		failUndecided     bool
		failures, skipped int
	}{{false, 1, 2}, {true, 3, 0}} {
		var b bytes.Buffer
		if err := gated(t, c.failUndecided, "completion>5%", "queue wait>5%").Gate.WriteJUnit(&b); err != nil {
			t.Fatal(err)
		}
		var suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Skipped  int `xml:"skipped,attr"`
			Cases    []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		}
		if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
			t.Fatal(err)
		}
		if suite.Tests != 4 || len(suite.Cases) != 4 || suite.Failures != c.failures || suite.Skipped != c.skipped {
			t.Errorf("undecided fails: %v: %+v", c.failUndecided, suite)
		}
	}
}

// A comment on a pull request takes 65,536 characters, whatever the names are.
func TestMarkdownFitsAComment(t *testing.T) {
	var groups []compare.Group
	for _, name := range []string{"base", "new"} {
		g := compare.Group{Name: name}
		for r := range 300 {
			drawing := fmt.Sprintf("%s.in%s SERVER 0-900", strings.Repeat("s|", 200), strings.Repeat("x", r+1))
			for n := range 5 {
				drawing += fmt.Sprintf("\n  %s.step%s 1-2", strings.Repeat("s|", 200), strings.Repeat(name, n+1))
			}
			g.Journeys = append(g.Journeys, journeys(t, drawing)...)
		}
		groups = append(groups, g)
	}
	var b bytes.Buffer
	if err := (report.Comparison{Of: compare.Groups(groups)}).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 65_536 || b.Len() < 1_000 {
		t.Errorf("%d bytes", b.Len())
	}
}
