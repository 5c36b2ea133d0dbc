package journey_test

import (
	"fmt"
	"math"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

func TestClockOffsets(t *testing.T) {
	spans, err := draw.Spans(`
		a.A CLIENT 0-100
		  b.B SERVER 35-115
		a.A2 CLIENT 200-300 trace=2
		  b.B2 SERVER 222-318
		a.P PRODUCER 400-410 trace=3
		  c.C CONSUMER 405-420
		d.P PRODUCER 700-710 trace=5
		  e.R CONSUMER 600-705 op=receive
		a.X 500-600 trace=4
		  b.Y SERVER 501-505`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range spans {
		spans[i].Resource = &journey.Resource{HostName: spans[i].Service}
	}
	var got []string
	for _, o := range journey.NewSet(spans).ClockOffsets() {
		got = append(got, fmt.Sprintf("%s>%s [%d,%d] %d", o.From, o.To, o.Low/1e6, o.High/1e6, o.Spans))
	}
	equalLines(t, "offsets", got, []string{"a>b [18,22] 2", fmt.Sprintf("a>c [%d,5] 1", int64(math.MinInt64)/1e6), fmt.Sprintf("d>e [%d,5] 1", int64(math.MinInt64)/1e6)})
}
