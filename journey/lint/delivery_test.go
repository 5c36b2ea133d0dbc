package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/lint"
)

// A message that is handled again after a failure is worth advice; one that is handled again after all went well, a warning.
func TestRetryIsAdvice(t *testing.T) {
	const drawing = "w.S SERVER 0-9\n  w.P PRODUCER 1-2 op=send topic=t\n    c.1 CONSUMER 3-5 op=process topic=t group=g OUTCOME\n    c.2 CONSUMER 7-9 op=process topic=t group=g"
	for outcome, want := range map[string]lint.Level{"error": lint.LevelAdvice, "": lint.LevelWarning} {
		found := false
		for _, f := range lint.Check(journey.NewSet(drawn(t, strings.ReplaceAll(drawing, "OUTCOME", outcome), nil))).Findings {
			if f.Rule == "P12" {
				found = true
				if f.Level != want {
					t.Errorf("again after %q: %s, want %s", outcome, f.Level, want)
				}
			}
		}
		if !found {
			t.Errorf("again after %q: no finding", outcome)
		}
	}
}

// What failed and was tried again is silent only when it failed the last time, too. An attempt may link to the one before.
func TestARetryThatEndsWellIsNoSilentFailure(t *testing.T) {
	const drawing = "w.S SERVER 0-1\n  w.P PRODUCER 0-1 op=send topic=t\n    c.1 CONSUMER 3-5 op=process topic=t group=g error\n      c.work 3-5 error\n" +
		"    c.2 CONSUMER 7-9 op=process topic=t group=g link=c.1 error\n    c.3 CONSUMER 11-12 op=process topic=t group=g link=c.2 OUTCOME"
	for outcome, want := range map[string]int{"error": 1, "": 0} {
		counts := lint.Check(journey.NewSet(drawn(t, strings.ReplaceAll(drawing, "OUTCOME", outcome), nil))).Counts
		if counts.Rules["P09"] != want {
			t.Errorf("the last time %q: %+v, want P09 %d times", outcome, counts, want)
		}
	}
}

// A server of gRPC does not say at which address it is: the procedure tells whose it is, when only one service answers it.
func TestACallOfAProcedureMissesItsServer(t *testing.T) {
	const calls = "a.in SERVER 0-9\n  shop.v1.S/Do CLIENT 1-8 service=a rpc.system=grpc\nshop.v1.S/Do SERVER 2-7 trace=2 service=b rpc.system=grpc"
	for what, c := range map[string]struct {
		more string
		want int
	}{
		"one service answers it":     {"", 2}, // the client, and the server that begins a trace
		"two services answer it":     {"\nshop.v1.S/Do SERVER 2-7 trace=3 service=c rpc.system=grpc", 0},
		"nobody answers another one": {"\na.out CLIENT 10-12 trace=4 rpc.system=grpc", 2},
	} {
		result := lint.Check(journey.NewSet(drawn(t, calls+c.more, nil)))
		if n := result.Counts.Rules["P06"]; n != c.want {
			t.Errorf("%s: %d findings, want %d: %+v", what, n, c.want, result.Findings)
		}
	}
}

// A group is missed only where it got at least one in twenty of its topic's messages.
func TestRareGroupsAreNotMissed(t *testing.T) {
	for got, want := range map[int]int{1: 0, 2: 28} {
		var b strings.Builder
		for k := range 30 {
			fmt.Fprintf(&b, "w.S%[1]d SERVER 0-9 trace=%[2]d\n  w.P%[1]d PRODUCER 1-2 op=send topic=t\n    c.C%[1]d CONSUMER 3-5 op=process topic=t group=g\n", k, k+1)
			if k < got {
				fmt.Fprintf(&b, "    x.X%d CONSUMER 3-5 op=process topic=t group=x\n", k)
			}
		}
		if n := lint.Check(journey.NewSet(drawn(t, b.String(), nil))).Counts.Rules["P05"]; n != want {
			t.Errorf("a group that got %d of 30: %d findings, want %d", got, n, want)
		}
	}
}
