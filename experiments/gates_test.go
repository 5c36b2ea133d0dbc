package experiments

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// gateOf is the gate of a name that a claim has asked for.
func gateOf(t *testing.T, gates []verdict.Gate, name string) verdict.Gate {
	t.Helper()
	i := slices.IndexFunc(gates, func(g verdict.Gate) bool { return g.Name == name })
	if i < 0 {
		t.Fatalf("no gate %q in %+v", name, gates)
	}
	if gates[i].Passed == (gates[i].Change != "") {
		t.Errorf("%s: passed: %v, and what to change is %q", name, gates[i].Passed, gates[i].Change)
	}
	return gates[i]
}

// Runs with events fail their gates when an event comes late or not at all, and when the accounts do not balance.
func TestGatesOfEvents(t *testing.T) {
	events := outage{paymentService, time.Second, 2 * time.Second}.events("stop")
	balanced := lab.Accounts{Placed: 3, Accepted: 3, Completed: 3, Answered: 3}
	unbalanced := balanced
	unbalanced.Completed = 2
	for _, c := range []struct {
		name           string
		stop, start    lab.Happened
		accounts       lab.Accounts
		took, on, sums bool
	}{
		{"as it should be", lab.Happened{Event: "1s:stop:payment", AtMS: 1002}, lab.Happened{Event: "2s:start:payment", AtMS: 2099}, balanced, true, true, true},
		{"the start comes late", lab.Happened{Event: "1s:stop:payment", AtMS: 1002}, lab.Happened{Event: "2s:start:payment", AtMS: 2101}, balanced, true, false, true},
		{"the start fails", lab.Happened{Event: "1s:stop:payment", AtMS: 1002}, lab.Happened{Event: "2s:start:payment", AtMS: 2002, Error: "no"}, balanced, false, true, true},
		{"an order is nowhere", lab.Happened{Event: "1s:stop:payment", AtMS: 1002}, lab.Happened{Event: "2s:start:payment", AtMS: 2002}, unbalanced, true, true, false},
	} {
		ran := &Ran{Config: lab.Config{Events: events}, Result: &lab.Result{
			Happened: []lab.Happened{c.stop, c.start}, Forms: map[services.Form]*lab.FormResult{services.Kafka: {Orders: c.accounts}},
		}}
		var l Lab
		l.Fair(ran)
		gates := append(happened([]*Ran{ran}), l.gates...)
		for name, want := range map[string]bool{"events took place": c.took, "events on time": c.on, "sums balance": c.sums} {
			if g := gateOf(t, gates, name); g.Passed != want {
				t.Errorf("%s: %s is passed: %v, want %v: %s", c.name, name, g.Passed, want, g.Measured)
			}
		}
	}
}

// Who waits before the outage waits for something else.
func TestGateOnPromptAnswers(t *testing.T) {
	began := time.Unix(100, 0)
	ran := &Ran{orders: map[services.Form][]rundir.Order{}}
	for i := range 100 {
		ran.orders[services.Kafka] = append(ran.orders[services.Kafka], rundir.Order{
			Form: "kafka", Number: i, Status: 202, Outcome: "completed", Intended: began.Add(time.Duration(i) * 10 * time.Millisecond), CallerWait: int64(5 * time.Millisecond),
		})
	}
	down := outage{kafkaPart, time.Second + inFlight, 2 * time.Second}
	for slow := range 3 {
		if g := promptBefore([]*Ran{ran}, down); g.Passed != (slow < 2) || g.Passed != (g.Change == "") {
			t.Errorf("%d orders of 100 wait: %+v", slow, g)
		}
		ran.orders[services.Kafka][slow].CallerWait = int64(time.Second)
	}
}

// A journey that shows nothing makes the verdict not valid, as does an experiment that could not be done or judged.
func TestGatesOfTheExperiment(t *testing.T) {
	if g := signatureGate(&Evidence{Of: 3, Miss: "order 0: no link"}); g.Passed || g.Change == "" {
		t.Errorf("%+v", g)
	}
	if g := signatureGate(&Evidence{Of: 3, Seen: 1}); !g.Passed || g.Change != "" {
		t.Errorf("%+v", g)
	}
	no := errors.New("no")
	measured := func(context.Context, *Lab) (f Figures, _ error) { f.Count("grpc", clientErrors, 0, 100); return f, nil }
	claim := Claim{Name: "made-up", Kind: Calm, Measure: measured, Decide: func(Figures) (Decision, error) {
		return Decision{Parts: []verdict.Part{{Name: "x", Estimate: verdict.Exact(9, 1, "runs"), Want: verdict.MoreThan(5)}}}, nil
	}}
	unmeasured, undecided, embedded, real := claim, claim, claim, claim
	unmeasured.Measure = func(context.Context, *Lab) (Figures, error) { return nil, no }
	undecided.Decide = func(Figures) (Decision, error) { return Decision{}, no }
	embedded.Needs.Embedded, real.Needs.RealBroker = true, true
	for _, c := range []struct {
		claim Claim
		gate  string
	}{{claim, ""}, {unmeasured, "experiment done"}, {undecided, judgeable}, {embedded, "embedded broker"}, {real, "real broker"}} {
		settings := Settings{Out: t.TempDir()}
		if c.claim.Needs.Embedded {
			settings.Kafka = []string{"127.0.0.1:1"}
		}
		ledger, err := Run(t.Context(), settings, []Claim{c.claim}, func(Report) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		r := ledger.Claims[0]
		if c.gate == "" {
			if r.Verdict != verdict.Holds {
				t.Errorf("%s: %s", r.Verdict, r.Why)
			}
			continue
		}
		if g := gateOf(t, r.Gates, c.gate); g.Passed || r.Verdict != verdict.NotValid {
			t.Errorf("%s with the gate %+v", r.Verdict, g)
		}
	}
}
