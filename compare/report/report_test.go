package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/compare"
	"tracelab/compare/internal/draw"
	"tracelab/compare/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// order returns the journey drawn in testdata.
func order(t testing.TB) *compare.Journey {
	t.Helper()
	drawing, err := os.ReadFile(filepath.Join("testdata", "order.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return journeys(t, string(drawing))[0]
}

func journeys(t testing.TB, drawing string) []*compare.Journey {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return compare.Normalise(spans).Journeys()
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
	if err := report.JourneyText(&b, order(t), report.Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "journey.text.golden", b.Bytes())
}

func TestJourneyJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.JourneyJSON(&b, order(t)); err != nil {
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

var _ = strings.TrimSpace
