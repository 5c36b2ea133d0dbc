package journey_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// Where other tools tell the same things of one trace, the answers agree.
func TestAgreesWithOthers(t *testing.T) {
	for _, c := range []struct{ why, drawing, response string }{
		{"Jaeger's critical path: two calls one after the other", "s.C 1-101\n  s.D 20-40\n  s.E 50-60", "s.C[0,19] s.D[19,39] s.C[39,49] s.E[49,59] s.C[59,100]"},
		{"Jaeger's critical path: of two calls side by side the one that ends last", "s.X 1-101\n  s.A 10-50\n  s.C 20-60", "s.X[0,19] s.C[19,59] s.X[59,100]"},
		{"Jaeger's critical path: a child that starts after its parent had ended", "s.A 0-40\n  s.B 60-140", "s.A[0,40]"},
		{"Jaeger's critical path: such a child, and a call of it", "s.A 1-31\n  s.B 40-80\n    s.C 50-60", "s.A[0,30]"},
		{"Jaeger's critical path: what only follows, as a link", "s.A 1-31\ns.B 10-20 link=s.A trace=2", "s.A[0,30]"},
		{"Jaeger's critical path: a child that ended before its parent started", "s.A 10-30\n  s.B 1-5", "s.A[0,20]"},
	} {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			equalLines(t, "response path", []string{draw.Path(set, rootedAt(set, 0).ResponsePath())}, []string{c.response})
		})
	}
}

// rootedAt returns the journey whose root is the drawing's first line.
func rootedAt(set *journey.Set, line byte) *journey.Journey {
	for _, j := range set.Journeys() {
		if i, ok := j.Root(); ok && set.Span(i).ID[7] == line+1 {
			return j
		}
	}
	return new(journey.Journey)
}

// An SDK whose starts are whole milliseconds and whose ends are not: of two calls that were awaited one after the other both are
// on the path, though the first seems to run into the second.
func TestStartsOfWholeMilliseconds(t *testing.T) {
	for k := range int64(300) {
		s := func(id uint64, start, end int64) journey.Span {
			x := journey.Span{Name: fmt.Sprint(id), Service: "node", Kind: journey.KindClient, Start: start / 1e6 * 1e6, End: end}
			x.Trace[0] = 1
			binary.BigEndian.PutUint64(x.ID[:], id)
			if id > 1 {
				binary.BigEndian.PutUint64(x.Parent[:], 1)
			}
			return x
		}
		base := draw.Base + k*37_123
		first := 2_000_000 + (k*617_411)%5_000_000
		second := first + 3_000_000 + (k*271_003)%4_000_000
		spans := []journey.Span{s(1, base, base+20_000_000), s(2, base+1_000_000, base+first), s(3, base+first+20_000, base+second)}
		spans[0].Kind = journey.KindServer
		seen := map[string]bool{}
		set := journey.NewSet(spans)
		for _, g := range set.Journeys()[0].ResponsePath() {
			seen[set.Span(g.Span).Name] = true
		}
		if !seen["2"] || !seen["3"] {
			t.Fatalf("request %d: only %v are on the path", k, seen)
		}
	}
}
