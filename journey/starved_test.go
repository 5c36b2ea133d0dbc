package journey_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// starvedAt makes periods of pairs of milliseconds on a drawing's axis.
func starvedAt(set *journey.Set, pairs ...int64) journey.Option {
	start := set.Journeys()[0].Start()
	var periods []journey.Period
	for pair := range slices.Chunk(pairs, 2) {
		periods = append(periods, journey.Period{From: start + pair[0]*1e6, To: start + pair[1]*1e6})
	}
	return journey.Starved(periods...)
}

// TestStarvedTimeIsNoWork cuts periods out of paths: before the beginning, in the middle, over two segments, in a wait, and behind the end. They come in any
// order, overlap, touch, and some have no length.
func TestStarvedTimeIsNoWork(t *testing.T) {
	const drawing = "S 0-50\n  P PRODUCER 10-20\n    C CONSUMER 100-200"
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	plain := journey.NewSet(spans)
	set := journey.NewSet(spans, starvedAt(plain, 150, 160, -50, 2, 5, 12, 30, 40, 90, 105, 155, 170, 170, 180, 199, 500), starvedAt(plain, 130, 130, 140, 120))
	j := set.Journeys()[0]
	equalLines(t, "paths", []string{draw.Path(set, j.ResponsePath()), draw.Path(set, j.CompletionPath()), draw.Path(set, j.MessagePath(j.Messages()[0]))}, []string{
		"~starved[0,2] S[2,5] ~starved[5,10] ~starved[10,12] P[12,20] S[20,30] ~starved[30,40] S[40,50]",
		"~starved[0,2] S[2,5] ~starved[5,10] ~starved[10,12] P[12,20] ~message[20,100] ~starved[100,105] C[105,150] ~starved[150,180] C[180,199] ~starved[199,200]",
		"~starved[0,2] S[2,5] ~starved[5,10] ~starved[10,12] P[12,20] ~message[20,100] ~starved[100,105] C[105,150] ~starved[150,180] C[180,199] ~starved[199,200]",
	})
	if got, want := j.AsyncShare(), plain.Journeys()[0].AsyncShare(); got != want {
		t.Errorf("waits are %v of the completion, want %v as without", got, want)
	}
	if got := j.Warnings(); len(got) != len(plain.Journeys()[0].Warnings()) {
		t.Errorf("warnings %v", got)
	}
}

// TestStarvedPathsAreWhole: whatever is cut out, the path touches itself, is as long as before, and has the same waits.
func TestStarvedPathsAreWhole(t *testing.T) {
	spans, err := draw.Spans("S 0-50\n  P PRODUCER 10-20\n    C CONSUMER 100-200\n      D 120-180")
	if err != nil {
		t.Fatal(err)
	}
	plain := journey.NewSet(spans)
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SliceOfN(rapid.Int64Range(-20, 220), 2, 40).Draw(t, "periods")
		j := journey.NewSet(spans, starvedAt(plain, pairs[:len(pairs)/2*2]...)).Journeys()[0]
		path := j.CompletionPath()
		last := time.Duration(0)
		for _, g := range path {
			if g.Start != last || g.End <= g.Start {
				t.Fatalf("segment %+v after %v", g, last)
			}
			last = g.End
		}
		if want := plain.Journeys()[0]; last != j.Completion() || j.Completion() != want.Completion() || journey.Waits(path) != journey.Waits(want.CompletionPath()) {
			t.Fatalf("the path ends at %v of %v and waits %v, want %v and %v", last, j.Completion(), journey.Waits(path), want.Completion(), journey.Waits(want.CompletionPath()))
		}
	})
}
