package lab_test

import (
	"strings"
	"testing"

	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// TestLostAndDoubledOrdersAreFound gives the accounts what no run should have: an order that its client was told of and
// that orders does not know, and one that orders has twice. The first sum must not hold then.
func TestLostAndDoubledOrdersAreFound(t *testing.T) {
	told := func(number int) rundir.Order {
		return rundir.Order{Form: "grpc", Number: number, ID: "an id", Status: 201}
	}
	known := func(number int, status services.Status) services.State {
		return services.State{Form: services.GRPC, Number: number, Status: status}
	}
	unanswered := rundir.Order{Form: "grpc", Number: 2}
	elsewhere := rundir.Order{Form: "rest", Number: 0, ID: "an id", Status: 201}
	for name, c := range map[string]struct {
		placed []rundir.Order
		states []services.State
		want   lab.Accounts
		wrong  string // "": nothing is
	}{
		"all well": {
			[]rundir.Order{told(0), told(1), elsewhere}, []services.State{known(0, services.Completed), known(1, services.Failed)},
			lab.Accounts{Placed: 2, Accepted: 2, Completed: 1, Failed: 1, Answered: 2}, "",
		},
		"a lost order": {
			[]rundir.Order{told(0), told(1)}, []services.State{known(0, services.Completed)},
			lab.Accounts{Placed: 2, Accepted: 1, Completed: 1, Answered: 2}, "placed 2 is not accepted 1 + refused 0 + unknown 0",
		},
		"a doubled order": {
			[]rundir.Order{told(0)}, []services.State{known(0, services.Completed), known(0, services.Completed)},
			lab.Accounts{Placed: 1, Accepted: 2, Completed: 2, Answered: 1}, "placed 1 is not accepted 2 + refused 0 + unknown 0",
		},
		"no answer, and accepted": {
			[]rundir.Order{unanswered}, []services.State{known(2, services.Completed)},
			lab.Accounts{Placed: 1, Accepted: 1, Completed: 1, Unanswered: 1}, "",
		},
		"no answer, and never heard of": {
			[]rundir.Order{unanswered}, nil,
			lab.Accounts{Placed: 1, Unknown: 1, Unanswered: 1}, "",
		},
		"pending": {
			[]rundir.Order{told(0)}, []services.State{known(0, services.Accepted)},
			lab.Accounts{Placed: 1, Accepted: 1, Pending: 1, Answered: 1}, "1 order is pending",
		},
	} {
		got := lab.AccountOf(t, c.placed, c.states)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		problems := strings.Join(got.Problems(), "\n")
		if c.wrong == "" && problems != "" || !strings.Contains(problems, c.wrong) {
			t.Errorf("%s: problems %q, want %q", name, problems, c.wrong)
		}
	}
}
