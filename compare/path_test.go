package compare_test

import (
	"strings"
	"testing"

	"tracelab/compare"
	"tracelab/compare/internal/draw"
)

// pathCase is a drawing with the paths that it must have; journeys after the first are given as further paths.
type pathCase struct {
	why        string
	drawing    string
	response   []string
	completion []string
}

// pathCases are the cases of the rules for paths: one drawing for each thing that could go wrong.
var pathCases = []pathCase{
	{
		"two calls one after the other, with the parent's own work around them",
		`P 0-100
		   A 10-50
		   B 50-90`,
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
		[]string{"P[0,10] A[10,50] B[50,90] P[90,100]"},
	},
	{
		"a message: the caller is free at 50, the work ends at 160, and the queue took 40",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		     C CONSUMER 60-160
		       DB CLIENT 70-150`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,20] ~message[20,60] C[60,70] DB[70,150] C[150,160]"},
	},
	{
		"a receive span that overlaps the acknowledgement is never on the caller's path",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		     RX CLIENT 15-55 op=receive
		       C CONSUMER 60-160 op=process`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,20] RX[20,55] ~detached-after[55,60] C[60,160]"},
	},
	{
		"work that a request starts and does not wait for",
		`S SERVER 0-50
		   G 40-2000`,
		[]string{"S[0,50]"},
		[]string{"S[0,40] G[40,2000]"},
	},
	{
		"work started after its cause had ended",
		`S SERVER 0-50
		   G 80-120`,
		[]string{"S[0,50]"},
		[]string{"S[0,50] ~detached-after[50,80] G[80,120]"},
	},
	{
		"delivered before the acknowledgement: no negative wait",
		`S SERVER 0-45
		   PR PRODUCER 10-40
		     C CONSUMER 30-160 op=process`,
		[]string{"S[0,10] PR[10,40] S[40,45]"},
		[]string{"S[0,10] PR[10,30] C[30,160]"},
	},
	{
		"a batch is charged from the message that was ready last, and not before it",
		`S SERVER 0-50
		   P1 PRODUCER 10-20
		   P2 PRODUCER 30-40
		c.R CLIENT 0-60 op=receive link=P1 link=P2 trace=2
		c.W CONSUMER 65-200 link=c.R trace=3`,
		[]string{"S[0,10] P1[10,20] S[20,30] P2[30,40] S[40,50]"},
		[]string{"S[0,10] P1[10,20] S[20,30] P2[30,40] c.R[40,60] ~continuation[60,65] c.W[65,200]"},
	},
	{
		"a consumer that is linked from another trace is the same as one with a parent",
		`S SERVER 0-50
		   PR PRODUCER 10-20
		C CONSUMER 60-160 link=PR trace=2
		  DB CLIENT 70-150`,
		[]string{"S[0,10] PR[10,20] S[20,50]"},
		[]string{"S[0,10] PR[10,20] ~message[20,60] C[60,70] DB[70,150] C[150,160]"},
	},
	{
		"a poll that served two orders joins neither",
		`S1 SERVER 0-50
		   P1 PRODUCER 10-20
		S2 SERVER 5-55 trace=2
		   P2 PRODUCER 15-25
		R CLIENT 0-60 op=receive link=P1 link=P2 trace=3
		  W1 CONSUMER 61-100 op=process link=P1
		  W2 CONSUMER 101-150 op=process link=P2`,
		[]string{"S1[0,10] P1[10,20] S1[20,50]", "S2[0,10] P2[10,20] S2[20,50]"},
		[]string{"S1[0,10] P1[10,20] ~message[20,61] W1[61,100]", "S2[0,10] P2[10,20] ~message[20,96] W2[96,145]"},
	},
	{
		"what kotel's links give: process to receive, receive to send",
		`S SERVER 0-50
		   P PRODUCER 10-20
		c.RX CONSUMER 30-60 messaging.operation=receive link=P trace=2
		c.W CONSUMER 65-100 messaging.operation=process link=c.RX trace=3`,
		[]string{"S[0,10] P[10,20] S[20,50]"},
		[]string{"S[0,10] P[10,20] ~message[20,30] c.RX[30,60] ~continuation[60,65] c.W[65,100]"},
	},
}

func TestPaths(t *testing.T) {
	for _, c := range pathCases {
		t.Run(c.why, func(t *testing.T) {
			set := normalise(t, c.drawing)
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

func normalise(t testing.TB, drawing string) *compare.Set {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return compare.Normalise(spans)
}

func equalLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("%s:\n%s\nwant:\n%s", what, g, w)
	}
}
