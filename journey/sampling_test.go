package journey_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

func TestWeights(t *testing.T) {
	for state, want := range map[string]float64{
		"": 1, "ot=th:0": 1, "ot=th:8": 2, "ot=th:c": 4, "vendor=x,ot=rv:00000000000001;th:c": 4, "ot=th:": 1, "ot=th:xyz": 1,
		"ot=th:ffffffffffffff": 1 << 56, "ot=th:ffffffffffffff0": 1, "x=th:8": 1,
		"ot=p:0": 1, "ot=p:3": 8, "ot=r:9;p:3": 8, "vendor=x,ot=p:3;r:3": 8, "ot=p:4;r:3": 1, "ot=p:62": 1 << 62, "ot=p:63": 0, "ot=p:63;r:5": 0, "ot=p:64": 1,
		"ot=p:-1": 1, "ot=p:": 1, "ot=p:x": 1, "x=p:3": 1, "ot=p:3;th:8": 2, "ot=th:xyz;p:3": 8, "ot=p:3;r:x": 8,
	} {
		spans, err := draw.Spans("S SERVER 0-9\n  A 1-2")
		if err != nil {
			t.Fatal(err)
		}
		spans[1].TraceState = state
		w, told := journey.NewSet(spans).Journeys()[0].Weight()
		if w != want || told != (want != 1 || state == "ot=th:0" || state == "ot=p:0") {
			t.Errorf("%q: weight %v, %v; want %v", state, w, told, want)
		}
	}
}

func TestSampling(t *testing.T) {
	const two = "S SERVER 0-9\nT SERVER 0-9 trace=2"
	for _, c := range []struct {
		why, first, second, mark string
		refused                  string
	}{
		{"nothing known", "", "", "", ""},
		{"one threshold for all", "ot=th:8", "ot=th:8", "", ""},
		{"two thresholds", "ot=th:8", "ot=th:c", "", "different weights"},
		{"one power of two for all", "ot=p:3", "ot=p:3", "", ""},
		{"two powers", "ot=p:3", "ot=p:2", "", "different weights"},
		{"a threshold and a power that say the same", "ot=th:8", "ot=p:1", "", ""},
		{"none stands for any", "ot=p:63", "ot=p:63", "", "stand for no others"},
		{"one stands for none", "ot=p:63", "ot=p:0", "", "different weights"},
		{"one without a threshold", "ot=th:8", "", "", "different weights"},
		{"a tail sampler's mark", "", "", "tailsampling.policy=errors", "tail sampler"},
		{"a tail sampler's mark, with thresholds", "ot=th:8", "ot=th:8", "tailsampling.policy=errors", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			spans, err := draw.Spans(two + " " + c.mark)
			if err != nil {
				t.Fatal(err)
			}
			spans[0].TraceState, spans[1].TraceState = c.first, c.second
			reason, refused := journey.NewSet(spans).Sampling().NoInterval()
			if refused != (c.refused != "") || !strings.Contains(reason, c.refused) {
				t.Errorf("%q, %v; want %q", reason, refused, c.refused)
			}
		})
	}
}

// TestWeightedMedian has journeys of which one stands for most of those that there were.
func TestWeightedMedian(t *testing.T) {
	for _, c := range []struct {
		why    string
		states []string // of journeys that take 10, 20, 30 and 40
		want   int
	}{
		{"no weights: the lower of the middle two", []string{"", "", "", ""}, 20},
		{"equal weights", []string{"ot=th:8", "ot=th:8", "ot=th:8", "ot=th:8"}, 20},
		{"the last stands for 16, the others for one", []string{"", "", "", "ot=th:f"}, 40},
		{"the first stands for 4 of 7", []string{"ot=th:c", "", "", ""}, 10},
		{"the last stands for 16, by a power", []string{"", "", "", "ot=p:4"}, 40},
		{"the first two stand for none", []string{"ot=p:63", "ot=p:63", "", ""}, 30},
		{"all stand for none", []string{"ot=p:63", "ot=p:63", "ot=p:63", "ot=p:63"}, 20},
		{"the first stands for 2 of 5", []string{"ot=th:8", "", "", ""}, 20},
	} {
		var drawing strings.Builder
		for i := range c.states {
			fmt.Fprintf(&drawing, "a.S%d SERVER 0-%d trace=%d\n", i, 10*(i+1), i+1)
		}
		spans, err := draw.Spans(drawing.String())
		if err != nil {
			t.Fatal(err)
		}
		for i := range spans {
			spans[i].TraceState = c.states[i]
		}
		if got := journey.Median(journey.NewSet(spans).Journeys()).Completion(); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("%s: the median takes %v, want %d ms", c.why, got, c.want)
		}
	}
}
