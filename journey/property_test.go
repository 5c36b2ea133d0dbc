package journey_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// TestMain lets properties be checked on 1,000 sets unless -rapid.checks or RAPID_CHECKS says otherwise: the 100 that are usual miss rules
// that need two rare things at once.
func TestMain(m *testing.M) {
	flag.Parse()
	set := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set {
		if err := flag.Set("rapid.checks", "1000"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// anySpans generates spans with every defect that data may have.
func anySpans(t *rapid.T) []journey.Span {
	return draw.Any(func(what string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, what) })
}

// everything writes all that is known of a set.
func everything(set *journey.Set) []string {
	list := edges(set)
	for _, line := range journeys(set) {
		list = append(list, "journey "+line)
	}
	for _, j := range set.Journeys() {
		list = append(list, "response "+draw.Path(set, j.ResponsePath()), "completion "+draw.Path(set, j.CompletionPath()))
		list = append(list, fmt.Sprint(j.Messages(), j.FanOut(), j.Depth(), j.Errors(), j.Traces()))
	}
	for _, w := range set.Warnings() {
		list = append(list, fmt.Sprint(w))
	}
	return list
}

func TestPathsTelescope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := journey.NewSet(anySpans(t))
		for _, j := range set.Journeys() {
			telescopes(t, "completion", j.CompletionPath(), j.Completion())
			if wait, ok := j.CallerWait(); ok {
				telescopes(t, "response", j.ResponsePath(), wait)
			}
			for _, m := range j.Messages() {
				telescopes(t, "message", j.MessagePath(m), max(0, time.Duration(set.EffectiveEnd(m.Consumer)-j.Start())))
			}
		}
	})
}

// telescopes checks that segments are sorted, touch each other, are not empty, and add up to exactly the total.
func telescopes(t *rapid.T, what string, path []journey.Segment, total time.Duration) {
	at := time.Duration(0)
	for _, g := range path {
		if g.Start != at || g.End <= g.Start {
			t.Fatalf("%s path: segment [%d,%d] after %d", what, g.Start, g.End, at)
		}
		at = g.End
	}
	if at != total {
		t.Fatalf("%s path: ends at %d, the total is %d", what, at, total)
	}
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := anySpans(t)
		spans = append(spans, spans[rapid.IntRange(0, len(spans)-1).Draw(t, "duplicate")])
		want := everything(journey.NewSet(spans))
		got := everything(journey.NewSet(rapid.Permutation(spans).Draw(t, "order")))
		if !slices.Equal(got, want) {
			t.Fatalf("in another order:\n%q\nfirst:\n%q", got, want)
		}
	})
}

func TestNormalizingTwiceIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := journey.NewSet(anySpans(t))
		var spans []journey.Span
		for i := range journey.Index(set.Len()) {
			spans = append(spans, *set.Span(i))
		}
		copies := func(line string) bool { return strings.HasPrefix(line, string(journey.RuleDuplicate)+" ") } // a copy is taken out once
		if got, want := everything(journey.NewSet(spans)), slices.DeleteFunc(everything(set), copies); !slices.Equal(got, want) {
			t.Fatalf("twice:\n%q\nonce:\n%q", got, want)
		}
	})
}

func TestEverySpanIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := journey.NewSet(anySpans(t))
		in, unreached := make([]int, set.Len()), make([]int, set.Len())
		for _, j := range set.Journeys() {
			for _, i := range j.Spans() {
				in[i]++
				if set.Shared(i) {
					t.Fatalf("shared span %s is in a journey", set.Span(i).Name)
				}
			}
			for _, i := range j.Unreached() {
				unreached[i]++
			}
		}
		for i := range journey.Index(set.Len()) {
			places := unreached[i] + min(in[i], 1)
			if set.Shared(i) {
				places++
			}
			if places != 1 {
				t.Fatalf("span %s is in %d journeys, unreached in %d, shared: %v", set.Span(i).Name, in[i], unreached[i], set.Shared(i))
			}
		}
	})
}

func TestMeasuresHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journey.NewSet(anySpans(t)).Journeys() {
			tail, ok := j.Tail()
			sum, union, _ := j.Detached()
			if ok && (tail < 0 || union > sum || union > tail) {
				t.Fatalf("tail %d, detached work %d, its union %d", tail, sum, union)
			}
			if share := j.AsyncShare(); share < 0 || share > 1 {
				t.Fatalf("async share %v", share)
			}
			if d := j.Depth(); d.Spans < 1 || d.Spans > len(j.Spans()) || d.Hops >= d.Spans || d.Messages >= len(j.Spans()) {
				t.Fatalf("depth %+v of %d spans", d, len(j.Spans()))
			}
		}
	})
}

// A tree of calls, each within its caller or over its end by no more than is tolerated, completes when its caller has the
// answer: exactly.
func TestCallsAloneHaveNoTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "spans")
		spans := make([]journey.Span, n)
		for i := range spans {
			s := &spans[i]
			s.Trace[0], s.Kind, s.Name = 1, journey.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), fmt.Sprint("s", i)
			binary.BigEndian.PutUint64(s.ID[:], uint64(i+1))
			if i == 0 {
				s.Start, s.End = draw.Base, draw.Base+100e6
				continue
			}
			p := &spans[rapid.IntRange(0, i-1).Draw(t, "parent")]
			s.Parent = p.ID
			s.Start = rapid.Int64Range(p.Start, p.End).Draw(t, "start")
			s.End = rapid.Int64Range(s.Start, max(s.Start, p.End)).Draw(t, "end")
			if s.Start < p.End && rapid.Bool().Draw(t, "late") {
				s.End = p.End + rapid.Int64Range(0, max(1e3, min(50e6, (p.End-p.Start)/100))).Draw(t, "by")
			}
		}
		journeys := journey.NewSet(spans).Journeys()
		if len(journeys) != 1 {
			t.Fatalf("%d journeys", len(journeys))
		}
		wait, _ := journeys[0].CallerWait()
		if journeys[0].Completion() != wait || wait != 100e6 {
			t.Fatalf("completion %d, caller wait %d", journeys[0].Completion(), wait)
		}
		if response, completion := journeys[0].ResponsePath(), journeys[0].CompletionPath(); !slices.Equal(response, completion) {
			t.Fatalf("the paths differ: %v and %v", response, completion)
		}
	})
}
