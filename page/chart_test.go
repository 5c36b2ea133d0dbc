package page

import (
	"strings"
	"testing"
	"time"

	"tracelab/lab"
)

// TestChart draws a line with a gap, a point of its own, and nothing at all.
func TestChart(t *testing.T) {
	now := time.Unix(1000, 0)
	at := func(ago int, ms float64) lab.LivePoint {
		return lab.LivePoint{At: now.Add(-time.Duration(ago) * time.Second), CallerWait: &ms}
	}
	v := chartOf("Caller wait", []lab.LiveForm{
		{Form: "grpc", Points: []lab.LivePoint{at(300, 9e9), at(60, 90), at(59, 100), at(58, 95), {At: now.Add(-57 * time.Second)}, at(10, 140)}},
		{Form: "kafka"},
	}, now, func(p lab.LivePoint) *float64 {
		if now.Sub(p.At) > chartSpan { // the lab has let it go
			return nil
		}
		return p.CallerWait
	})
	if d := v.Lines[0].D; strings.Count(d, "M") != 1 || strings.Count(d, "L") != 2 || len(v.Lines[0].Dots) != 1 || v.Lines[0].Dots[0].X < 500 {
		t.Errorf("a line of three points and a point of its own: %s, %v", d, v.Lines[0].Dots)
	}
	if v.Lines[1].D != "" || v.Lines[0].Dash == v.Lines[1].Dash {
		t.Errorf("a form without points, and one with: %+v", v.Lines)
	}
	var texts []string
	for _, tick := range v.Y {
		texts = append(texts, tick.Text)
	}
	if got := strings.Join(texts, " "); got != "0 ms 50 ms 100 ms 150 ms" {
		t.Errorf("the grid says %s", got)
	}
	for least, want := range map[float64]float64{0: 1, 0.3: 0.5, 1: 1, 1.1: 2, 7: 10, 4999: 5000} {
		if got := niceStep(least); got != want {
			t.Errorf("a step of at least %v: %v, want %v", least, got, want)
		}
	}
}
