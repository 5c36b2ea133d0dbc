package journey_test

import (
	"slices"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// pathCase is a drawing with the paths that it must have; journeys after the first are given as further paths.
type pathCase struct {
	why        string
	drawing    string
	response   []string
	completion []string
}

// pathCases returns the cases of the rules for paths: one drawing for each thing that could go wrong.
func pathCases() []pathCase { return slices.Concat(callPaths, messagePaths, rootPaths) }

func TestPaths(t *testing.T) {
	for _, c := range pathCases() {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			var response, completion []string
			for _, j := range set.Journeys() {
				response = append(response, draw.Path(set, j.ResponsePath()))
				completion = append(completion, draw.Path(set, j.CompletionPath()))
			}
			equalLines(t, "response path", response, c.response)
			equalLines(t, "completion path", completion, c.completion)
		})
	}
}

// A batch seen from each of its messages: the wait for the batch is the time until its last message was ready.
func TestMessagePaths(t *testing.T) {
	tests := []struct {
		why, drawing string
		want         []string
	}{
		{
			"two messages of one order",
			"S 0-50\n  P1 PRODUCER 10-20\n  P2 PRODUCER 30-40\nW CONSUMER 65-200 link=P1 link=P2 trace=2",
			[]string{"S[0,10] P1[10,20] ~batch[20,40] ~message[40,65] W[65,200]", "S[0,10] P1[10,20] S[20,30] P2[30,40] ~message[40,65] W[65,200]"},
		},
		{
			"by way of a poll",
			"S 0-50\n  P1 PRODUCER 10-20\n  P2 PRODUCER 30-40\nc.R CLIENT 0-60 op=receive link=P1 link=P2 trace=2\nc.W CONSUMER 65-200 op=process link=c.R trace=3",
			[]string{
				"S[0,10] P1[10,20] ~batch[20,40] ~message[40,60] ~continuation[60,65] c.W[65,200]",
				"S[0,10] P1[10,20] S[20,30] P2[30,40] ~message[40,60] ~continuation[60,65] c.W[65,200]",
			},
		},
		{
			"a message that was not the last thing",
			"S 0-500\n  P PRODUCER 10-20\n    C CONSUMER 30-40",
			[]string{"S[0,10] P[10,20] ~message[20,30] C[30,40]"},
		},
	}
	for _, c := range tests {
		t.Run(c.why, func(t *testing.T) {
			set := newSet(t, c.drawing)
			j := set.Journeys()[0]
			var got []string
			for _, m := range j.Messages() {
				got = append(got, draw.Path(set, j.MessagePath(m)))
			}
			equalLines(t, "message paths", got, c.want)
		})
	}
}

func newSet(t testing.TB, drawing string) *journey.Set {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(spans)
}

// rootedAt returns the journey whose root is that line of the drawing, from 0 on.
func rootedAt(set *journey.Set, line byte) *journey.Journey {
	for _, j := range set.Journeys() {
		if i, ok := j.Root(); ok && set.Span(i).ID[7] == line+1 {
			return j
		}
	}
	return new(journey.Journey)
}

func equalLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s:\n%s\nwant:\n%s", what, g, w)
	}
}
