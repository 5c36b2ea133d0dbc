package watch

import (
	"testing"

	"tracelab/watch/actor"
)

// TestSumsAreReadable: the lines fit a terminal while all is well, and name what is not.
func TestSumsAreReadable(t *testing.T) {
	for want, sums := range map[string]Sums{
		"0 records read = 0; 0 spans\n0 traces seen = 0": {},
		"63 records read = 63 decoded; 5546 spans\n240 traces seen = 236 judged + 3 parts of others + 1 open": {
			Read: 63, Decoded: 63, Spans: 5546, Traces: actor.Counts{Seen: 240, Judged: 236, Parts: 3, Open: 1},
		},
		"3 records read = 2 decoded + 1 damaged; 9 spans\n7 traces seen = 1 judged + 1 incomplete + 2 shared + 1 without a root + 2 evicted\n" +
			"1 spans late, 5 spans of more roots than --causes, 2 spans beyond --trace-spans, 3 spans damaged on the way, 4 foreign records": {
			Read: 3, Decoded: 2, Damaged: 1, Spans: 9, Foreign: 4,
			Traces: actor.Counts{Seen: 7, Judged: 1, Incomplete: 1, Shared: 2, Rootless: 1, Evicted: 2, Late: 1, Crowded: 5, Cut: 2, Damaged: 3},
		},
	} {
		if got := sums.String(); got != want {
			t.Errorf("the sums are\n%s\nwant\n%s", got, want)
		}
	}
}
