package services

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// TestDeadlinesShrinkAlongAChain: each caller keeps a margin of its time, so that the innermost service gives up first and its failure comes
// back in time. The last of the links hangs; the first is called with a timeout of a second.
func TestDeadlinesShrinkAlongAChain(t *testing.T) {
	text, err := flows.Source("chain:4")
	if err != nil {
		t.Fatal(err)
	}
	withTimeout := string(text)
	for _, change := range [][2]string{
		{"message: unit.at-1,", "message: unit.at-1, timeout: 1s,"},
		{"  rest: {each: http}", "  rest: {each: http, plan: callee}"},
	} {
		withTimeout = replaceOnce(t, withTimeout, change[0], change[1])
	}
	for _, form := range []Form{"rest", "chained"} {
		inBubble(t, func(l *testLab) {
			fault, err := ParseFault(l.config.Flow, "link-4:hang=5s")
			l.must(err)
			e := Experiment{Run: "r", Form: form, Flow: "chain-4", Faults: []faults.Fault{fault}}
			a := l.place(e, parcelOf)
			if a.status != http.StatusGatewayTimeout {
				t.Fatalf("%s: answered %d %s", form, a.status, a.body)
			}
			took := time.Since(l.openedAt("link-1.Work"))
			if want := time.Second - 3*mostMargin; took != want {
				t.Errorf("%s: answered %v after link-1 was called, want %v: a second less three margins", form, took, want)
			}
			if got := l.state(a.problem(t).Instance[len("/units/"):]).Failures[0]; got.Step != "link-4.Work" {
				t.Errorf("%s: it failed in %+v, want it in the step that hung", form, got)
			}
		}, withFlow(t, parsed(t, withTimeout)))
	}
}

func TestShrunk(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{time.Second: 990 * time.Millisecond, 50 * time.Millisecond: 45 * time.Millisecond, 0: 0, -time.Second: -900 * time.Millisecond} {
		if got := shrunk(left); got != want {
			t.Errorf("of %v a call gets %v, want %v", left, got, want)
		}
	}
}

// TestTheCallersDeadlineCrossesTheHop: what a client says of its time holds at the gateway and behind it, in a flow with deadlines.
func TestTheCallersDeadlineCrossesTheHop(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{REST, GRPC} {
			began := time.Now()
			a := l.place(Experiment{Run: "r", Form: form, Flow: "shop"}, parcelOf, "Request-Timeout", "15ms")
			if took := time.Since(began); a.status != http.StatusGatewayTimeout || took >= 15*time.Millisecond {
				t.Errorf("%s: answered %d after %v, want 504 before the 15 ms are over", form, a.status, took)
			}
			for _, s := range l.spansNamed("truck.Load") {
				t.Errorf("%s: %s began though nobody waits for it", form, s.Name())
			}
		}
		if a := l.place(Experiment{Run: "r", Form: REST, Flow: "shop"}, parcelOf, "Request-Timeout", "soon"); a.status != http.StatusBadRequest {
			t.Errorf("a timeout that is no duration: answered %d %s", a.status, a.body)
		}
	}, withFlow(t, parsed(t, shop(", timeout: 1s"))))
}

// TestACallWhoseTimeIsOverIsNotBegun: while it waits for a worker its deadline passes, and the step is never done for it.
func TestACallWhoseTimeIsOverIsNotBegun(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{REST, GRPC} {
			before := len(l.spansNamed(string(fetch)))
			want := map[string]int{"201": 1, "504 timeout": 3}
			if diff := cmp.Diff(want, l.together(form, 4)); diff != "" {
				t.Errorf("%s: answers (-want +got):\n%s", form, diff)
			}
			// One was done in 20 ms, one was begun then and cut off at 35 ms, and two were never begun.
			l.until("their spans", func() bool { return len(l.spansNamed(string(fetch))) >= before+2 })
			time.Sleep(time.Second)
			if begun := len(l.spansNamed(string(fetch))) - before; begun != 2 {
				t.Errorf("%s: the step was begun %d times, want 2", form, begun)
			}
			if counts := l.countsOf(form, fetch); counts.NotBegun != 2 {
				t.Errorf("%s: counted %+v, want 2 that were not begun", form, counts)
			}
		}
		p := l.policyOfDesk()
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		time.Sleep(time.Millisecond)
		err := p.do(ctx, Experiment{Run: "r"}, nil, func(context.Context) error { t.Error("the call was made"); return nil })
		if err == nil {
			t.Error("a call without any time left went well")
		}
	}, withFlow(t, parsed(t, shop(", workers: 1, timeout: 35ms"))))
}

// TestCallsBehindTheAnswerHaveTheFlowsTimeout, whatever the client's was.
func TestCallsBehindTheAnswerHaveTheFlowsTimeout(t *testing.T) {
	text := replaceOnce(t, shop(""), "  rest: {each: http}", "  rest: {each: http}\n  ack: {each: http, answer: after desk.Take}")
	text = replaceOnce(t, text, "flow: shop", "flow: shop\ntimeout: 200ms")
	inBubble(t, func(l *testLab) {
		fault, err := ParseFault(l.config.Flow, "store:hang=5s")
		l.must(err)
		began := time.Now()
		a := l.place(Experiment{Run: "r", Form: "ack", Flow: "shop", Faults: []faults.Fault{fault}}, parcelOf, "Request-Timeout", "50ms")
		if a.status != http.StatusAccepted {
			t.Fatalf("answered %d %s", a.status, a.body)
		}
		state := l.await(a.id())
		if took := time.Since(began); took < 200*time.Millisecond || took > 210*time.Millisecond {
			t.Errorf("it was given up after %v, want 200 ms", took)
		}
		if state.Status != Failed || !slices.ContainsFunc(state.Failures, func(f StepFailure) bool { return f.Step == string(fetch) && f.CutOff() }) {
			t.Errorf("%+v", state)
		}
	}, withFlow(t, parsed(t, text)))
}
