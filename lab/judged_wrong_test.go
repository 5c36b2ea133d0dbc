package lab

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestMissingAnswersAreAProblemUnlessAFaultHit places orders of which some have no answer.
func TestMissingAnswersAreAProblemUnlessAFaultHit(t *testing.T) {
	j := NewJudge(t, "run", 5, nil)
	for number, status := range []int{201, 0, 503, 0, 202} {
		o := rundir.Order{Form: "grpc", Number: number, Status: status}
		if status == 503 {
			o.Error = "unavailable"
		}
		j.answered(order{Order: o})
	}
	hits := func(o *record) bool { return o.key.number == 3 }
	want := "2 of 5 orders have no 2xx answer, and no fault explains it: 1 × 503 unavailable; 1 × no answer in time"
	if got := j.unexplained(services.GRPC, hits); got != want {
		t.Errorf("unexplained: %q, want %q", got, want)
	}
	all := func(*record) bool { return true }
	if got := j.unexplained(services.GRPC, all); got != "" {
		t.Errorf("unexplained: %q, want nothing: a fault hit all of them", got)
	}
}

// TestReasonsOfIncompleteJourneysAreGrouped has a service whose spans stop coming.
func TestReasonsOfIncompleteJourneysAreGrouped(t *testing.T) {
	j := NewJudge(t, "run", 50, nil)
	for number := range 50 {
		j.answered(order{Order: rundir.Order{Form: "grpc", Number: number, Status: 201}})
		r := j.find(orderKey{services.GRPC, number})
		for i := range j.expect.traced() {
			r.seen.add(i)
		}
		if number >= 10 {
			r.seen[0] &^= 1 << 1 // traced()[1] is the gateway
			r.Incomplete = unended
		}
	}
	// What has not ended is not there yet: nothing is said of the connection.
	if got := j.whyIncomplete(services.GRPC, func(*record) bool { return true }, ""); got != "40 × a span has not ended" {
		t.Errorf("why incomplete: %q", got)
	}
	for number := 10; number < 50; number++ {
		j.find(orderKey{services.GRPC, number}).Incomplete = "the parent " + strings.Repeat("0123456789abcdef"[number%16:number%16+1], 16) + " is not there"
	}
	want := "40 × the parent … is not there; no span of gateway at all: not reconnected to where its spans go?"
	if got := j.whyIncomplete(services.GRPC, func(*record) bool { return true }, ""); got != want {
		t.Errorf("why incomplete: %q, want %q", got, want)
	}
}

// TestARestartOfOrdersIsSaid has another instance of orders at the end of a run than at its begin.
func TestARestartOfOrdersIsSaid(t *testing.T) {
	j := NewJudge(t, "run", 3, nil)
	for number, id := range []string{"known", "forgotten", ""} {
		j.answered(order{Order: rundir.Order{Form: "grpc", Number: number, ID: id, Status: 201}})
	}
	j.know(services.State{Form: services.GRPC, Number: 0, Status: services.Completed})
	r := running{Config: Config{Flow: flows.Order(), Forms: []services.Form{services.GRPC}}, judge: j.judge, before: services.OrdersInstance{Instance: "a"}}
	r.after = services.Summary{Forms: map[services.Form]services.Accounts{services.GRPC: {Accepted: 1}}, Orders: services.OrdersInstance{Instance: "a"}}
	if got := r.restarted(); got != "" {
		t.Errorf("restarted: %q, want nothing: it is the same instance", got)
	}
	r.after.Orders = services.OrdersInstance{Instance: "b", Started: time.Date(2000, 1, 1, 12, 30, 0, 0, time.UTC), UnknownMessages: 2}
	want := "orders was restarted at 12:30:00, and keeps its state in memory: it forgot 1 order that it had accepted, and got 2 messages about such orders"
	if got := r.restarted(); got != want {
		t.Errorf("restarted: %q, want %q", got, want)
	}
	r.after.Forms = nil // nothing of the run has come to the new instance
	want = strings.Replace(want, "1 order ", "2 orders ", 1)
	if got := r.restarted(); got != want {
		t.Errorf("restarted, and nothing known: %q, want %q", got, want)
	}
}

// TestACallThatWasCutOffIsUnknownWhenOrdersForgot: 503 for a call that went to an instance that is gone does not say that the order was refused.
func TestACallThatWasCutOffIsUnknownWhenOrdersForgot(t *testing.T) {
	j := NewJudge(t, "run", 5, nil)
	for number, reason := range []string{"unavailable", "full", "timeout", "", "unreachable"} {
		o := order{Order: rundir.Order{Form: "grpc", Number: number, Status: 503, Error: reason}}
		if reason == "" {
			o.Status = 0
		}
		j.answered(o)
	}
	j.know(services.State{Form: services.GRPC, Number: 2, Status: services.Completed}) // its call timed out, and orders has it
	recorded := services.Accounts{Accepted: 1, Completed: 1}
	if a := j.account(services.GRPC, recorded); a.Refused != 3 || a.Unknown != 1 || len(a.Problems()) > 0 {
		t.Errorf("orders knows what it had: %+v, want 3 refused and 1 unknown", a)
	}
	j.forgetful()
	if a := j.account(services.GRPC, recorded); a.Refused != 2 || a.Unknown != 2 || len(a.Problems()) > 0 {
		t.Errorf("orders forgot: %+v, want 2 refused and 2 unknown", a)
	}
	var got []string
	for o := range j.orders() {
		got = append(got, o.Outcome)
	}
	if want := []string{"unknown", "refused", "completed", "unknown", "refused"}; !slices.Equal(got, want) {
		t.Errorf("outcomes %q, want %q", got, want)
	}
}
