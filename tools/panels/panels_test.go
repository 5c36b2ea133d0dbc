package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestComplaints(t *testing.T) {
	type panel = struct {
		Title string
		Error string
		Empty bool
		Cut   []string
	}
	for name, c := range map[string]struct {
		drawn drawn
		want  string // parts of the complaints, a line each
	}{
		"all well":         {drawn{Panels: []panel{{Title: "Answers"}}}, ""},
		"nothing":          {drawn{}, "no panel was drawn"},
		"the page broke":   {drawn{Broken: "TypeError"}, "the page broke: TypeError"},
		"no data":          {drawn{Panels: []panel{{Title: "Answers", Empty: true}}}, `"Answers": no data`},
		"empty by default": {drawn{Panels: []panel{{Title: "Decisions of tail sampling", Empty: true}}}, ""},
		"refused":          {drawn{Panels: []panel{{Title: "Answers", Error: "parse error", Empty: true}}}, `"Answers": parse error`},
		"cut":              {drawn{Panels: []panel{{Title: "Answers", Cut: []string{"cut: order", "scrolls: 9 px in 8"}}}}, "\"Answers\": cut: order\n\"Answers\": scrolls: 9 px in 8"},
	} {
		if got := strings.Join(c.drawn.complaints(), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	t.Setenv("TRACELAB_PROMETHEUS", "")
	t.Setenv("TRACELAB_JAEGER", "")
	for _, args := range [][]string{{}, {"-prometheus", "http://127.0.0.1:1"}, {"-prometheus", "http://127.0.0.1:1", "-jaeger", "http://127.0.0.1:1", "-minutes", "0"}, {"-prometheus", "http://127.0.0.1:1", "-jaeger", "http://127.0.0.1:1", "-theme", "blue"}, {"-no-such-flag"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, &out, &out); code != 2 {
			t.Errorf("%q: exit status %d, want 2", args, code)
		}
	}
}

// TestHeightsAreRead: a picture is as high as the dashboard.
func TestHeightsAreRead(t *testing.T) {
	height, err := heightOf("../../dashboards/latency.json")
	if err != nil || height < 38*20 {
		t.Errorf("%d pixels, %v", height, err)
	}
	collapsed := panel{Panels: []panel{{Panels: make([]panel, 1)}}}
	collapsed.Panels[0].Panels[0].GridPos.Y, collapsed.Panels[0].Panels[0].GridPos.H = 40, 8
	if got := collapsed.rows(); got != 48 {
		t.Errorf("a panel in a collapsed row reaches down to %d, want 48", got)
	}
	if _, err := heightOf("panels_test.go"); err == nil {
		t.Error("a file that is no dashboard has a height")
	}
}
