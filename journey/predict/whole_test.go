package predict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/internal/draw"
)

// twoRoots draws n orders and n returns, each of one call to b that takes 20 ms more than the one before; weights are thresholds of the
// orders.
func twoRoots(t *testing.T, n int, thresholds map[int]string) []*journey.Journey {
	t.Helper()
	var spans []journey.Span
	for k := range 2 * n {
		name := map[bool]string{true: "a.order", false: "a.return"}[k < n]
		one, err := draw.Spans(fmt.Sprintf("%s SERVER 0-%d order.key=%d\n  a.call CLIENT 5-%d\n    b.serve SERVER 6-%d\n      b.step 7-%d", name, 40+20*(k%n), k, 35+20*(k%n), 34+20*(k%n), 33+20*(k%n)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			one[i].Trace[0], one[i].TraceState = byte(k+1), thresholds[k]
		}
		spans = append(spans, one...)
	}
	return journey.NewSet(spans).Journeys()
}

func toMessages() []Option {
	return []Option{ToMessage("b.step"), WithPublish(time.Millisecond), WithDelivery(5 * time.Millisecond)}
}

// Roots are told apart, by what their names have in common; each has its own figures, and is checked by itself.
func TestRootsAreToldApart(t *testing.T) {
	journeys := twoRoots(t, 3, nil)
	p, err := Predict(journeys, toMessages()...)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Roots) != 2 || p.Roots[0].Root.Name != "a.order" || p.Roots[0].Journeys != 3 || *p.Roots[0].Measured.CallerWait.Median != 60 || *p.Roots[0].Predicted.CallerWait.Median != 11 {
		t.Fatalf("%+v", p.Roots)
	}
	roots := map[string]int{}
	for _, d := range p.Changes {
		roots[d.Root]++
	}
	if len(roots) != 2 || roots["a a.order"] != 3 {
		t.Errorf("changes by root: %v", roots)
	}
	c := p.Check("before", journeys, compare.ByAttribute("order.key"))
	if len(c.Roots) != 2 || len(c.Roots[1].Residuals) != 3 || c.Roots[1].Residuals[0].N != 3 || *c.Roots[1].Residuals[0].Median != 11-60 {
		t.Errorf("%+v", c.Roots)
	}
	one, err := Predict(journeys[:1], toMessages()...)
	if err != nil || one.Roots != nil || one.Changes[0].Root != "" {
		t.Errorf("of one root: %+v, %v", one.Roots, err)
	}
}

// A journey that stands for most of an endpoint's is its median, and there is no interval then.
func TestPredictionsAreWeighted(t *testing.T) {
	p, err := Predict(twoRoots(t, 7, map[int]string{6: "ot=th:f"}), toMessages()...)
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Roots[0].Measured.CallerWait; *s.Median != 160 || s.Low != nil {
		t.Errorf("measured %v, interval from %v: want 160, and none", *s.Median, s.Low)
	}
	for _, d := range p.Changes {
		if d.Root == "a a.order" && (d.Low != nil || d.Verdict != compare.VerdictNone || d.Reason == "") {
			t.Errorf("%+v", d)
		}
	}
	if !strings.Contains(strings.Join(p.Warnings, "\n"), "different weights") {
		t.Errorf("%q", p.Warnings)
	}
}

// A pair of a check stands for as many as both of its journeys do: its median and its p95 are of the same pairs, whichever side has the weights.
func TestResidualsAreWeighted(t *testing.T) {
	const n, last = 40, 809.0 // the slowest order takes 820 ms, and 11 are predicted
	heavy := map[int]string{n - 1: "ot=th:e"}
	for name, thresholds := range map[string][2]map[int]string{"measured": {nil, heavy}, "predicted": {heavy, nil}} {
		p, err := Predict(twoRoots(t, n, thresholds[0]), toMessages()...)
		if err != nil {
			t.Fatal(err)
		}
		r := p.Check("after", twoRoots(t, n, thresholds[1]), compare.ByAttribute("order.key")).Roots[0].Residuals[0]
		if r.N != n || r.P95 == nil || *r.P95 != last {
			t.Errorf("weights of what was %s: p95 %v of %d, want %v", name, r.P95, r.N, last)
		}
	}
}

// Incomplete journeys are in no figure, no constant and no check, unless they are asked for.
func TestPredictionsOfWholeJourneys(t *testing.T) {
	var spans []journey.Span
	for k := range 3 {
		drawing := fmt.Sprintf("a.S SERVER 0-40 order.key=%d\n  a.call CLIENT 5-35\n    b.serve SERVER 6-34\n      b.step 7-33", k)
		if k == 2 {
			drawing += "\nb.lost 8-9 parent=?"
		}
		one, err := draw.Spans(drawing)
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			one[i].Trace[0] = byte(k + 1)
		}
		spans = append(spans, one...)
	}
	journeys := journey.NewSet(spans).Journeys()
	for _, c := range []struct {
		options          []Option
		taken, leftOut   int
		checked, lostOne int
	}{{nil, 2, 1, 2, 1}, {[]Option{WithIncomplete()}, 3, 0, 3, 0}} {
		p, err := Predict(journeys, append(toMessages(), c.options...)...)
		if err != nil {
			t.Fatal(err)
		}
		check := p.Check("before", journeys, compare.ByAttribute("order.key"), c.options...)
		if len(p.Journeys) != c.taken || p.Incomplete != c.leftOut || p.Turned[0].N != c.taken || check.Measured.CallerWait.N != c.checked || check.Incomplete != c.lostOne {
			t.Errorf("%d journeys, %d left out, %+v, checked with %d, %d left out", len(p.Journeys), p.Incomplete, p.Turned, check.Measured.CallerWait.N, check.Incomplete)
		}
	}
	_, err := Predict(journeys[2:], toMessages()...)
	if incomplete, ok := errors.AsType[*IncompleteError](err); !ok || incomplete.Journeys != 1 || !strings.Contains(err.Error(), "P01") {
		t.Errorf("of an incomplete journey alone: %v", err)
	}
}
