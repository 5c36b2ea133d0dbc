package report

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/internal/draw"
)

// TestLongNamesFit: names of services and destinations of 30 letters do not make a journey's report wider than a terminal of 80 columns; short ones are whole.
func TestLongNamesFit(t *testing.T) {
	spans, err := draw.Spans("S 0-500\n  A SERVER 10-400\n    P PRODUCER 20-30\n      C CONSUMER 50-450\n    Q PRODUCER 40-45\n      D CONSUMER 60-900")
	if err != nil {
		t.Fatal(err)
	}
	for _, long := range []bool{false, true} {
		for i := range spans {
			spans[i].Service = "shop"
			if long {
				spans[i].Service = "order-management-service-eu-00" + string(rune('1'+i))
			}
			spans[i].Name = "tracelab.order.v1.Orders/Accept"
		}
		var b strings.Builder
		if err := (Journey{Of: journey.NewSet(spans).Journeys()[0]}).WriteText(&b, format.Style{Width: 80}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if width := runewidth.StringWidth(strings.TrimRight(line, "\n")); width > 80 {
				t.Errorf("%d columns: %s", width, line)
			}
		}
		if !long && strings.Contains(b.String(), "sho…") {
			t.Errorf("a short name is shortened:\n%s", b.String())
		}
	}
}
