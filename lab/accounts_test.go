package lab_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// quickly runs a lab in virtual time on its embedded broker: a few orders of every form, unless change says otherwise.
// A goroutine that the run leaves behind ends the test.
func quickly(t *testing.T, change func(*lab.Config)) *lab.Result {
	t.Helper()
	out := t.TempDir()
	var result *lab.Result
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		config := lab.Config{Orders: 4, Seed: 1, Out: out, Version: "test", Network: network.network()}
		change(&config)
		var err error
		if result, err = lab.Run(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	})
	return result
}

// balanced holds the three sums of every form, and that of the spans, as equalities.
func balanced(t *testing.T, result *lab.Result) {
	t.Helper()
	for form, f := range result.Forms {
		a := f.Orders
		if a.Placed != a.Accepted+a.Refused {
			t.Errorf("%s: placed %d is not accepted %d + refused %d", form, a.Placed, a.Accepted, a.Refused)
		}
		if a.Accepted != a.Completed+a.Failed+a.Pending {
			t.Errorf("%s: accepted %d is not completed %d + failed %d + pending %d", form, a.Accepted, a.Completed, a.Failed, a.Pending)
		}
		if a.Placed != a.Answered+a.Errors+a.Unanswered {
			t.Errorf("%s: placed %d is not answered %d + errors %d + unanswered %d", form, a.Placed, a.Answered, a.Errors, a.Unanswered)
		}
		if a.Placed != f.Journeys+f.Incomplete {
			t.Errorf("%s: placed %d is not %d complete + %d incomplete journeys", form, a.Placed, f.Journeys, f.Incomplete)
		}
	}
	if s := result.Spans; s.Started != s.Exported+s.Dropped {
		t.Errorf("spans: started %d is not exported %d + dropped %d", s.Started, s.Exported, s.Dropped)
	}
}

// fate is what becomes of an order that a fault hits.
type fate struct {
	refused, failed    bool // never accepted; accepted and failed
	errors, unanswered bool // what its client gets; neither is an answer
}

// faultCase is a fault, and the fate of the orders that it hits: in forms where a call leads to the service, and in
// those where a message does.
type faultCase struct {
	fault             string
	calls             []services.Form
	byCall, byMessage fate
}

func faultCases() []faultCase {
	always := flows.Order().DefaultForms()
	early := []services.Form{services.REST, services.GRPC, services.Hybrid} // where inventory is called
	late := []services.Form{services.REST, services.GRPC}
	told, silent, behind := fate{failed: true, errors: true}, fate{failed: true, unanswered: true}, fate{failed: true}
	return []faultCase{
		{fault: "payment:delay=50ms@0.5"},
		{"gateway:error=closed@0.5", always, fate{refused: true, errors: true}, fate{}},
		{"orders:error=closed@0.5", always, fate{refused: true, errors: true}, fate{}},
		{"inventory:error=no_shelf@0.5", early, told, behind},
		{"payment:error=payment_declined@0.5", late, told, behind},
		{"shipping:error=no_carrier@0.5", late, told, behind},
		{"inventory:hang=2s@0.5", early, silent, behind},
		{"payment:hang=2s@0.5", late, silent, behind},
		{"shipping:hang=2s@0.5", late, silent, behind},
	}
}

// expect is the accounts of one form, from the draws of the fault alone.
func (c faultCase) expect(form services.Form, orders int) lab.Accounts {
	f := c.byMessage
	if slices.Contains(c.calls, form) {
		f = c.byCall
	}
	a := lab.Accounts{Placed: orders}
	for number := range orders {
		order := fate{}
		if (services.Experiment{Seed: 1, Number: number}).Hits(faults(c.fault)[0]) {
			order = f
		}
		count := func(to *int, is bool) {
			if is {
				*to++
			}
		}
		count(&a.Refused, order.refused)
		count(&a.Accepted, !order.refused)
		count(&a.Failed, order.failed)
		count(&a.Completed, !order.refused && !order.failed)
		count(&a.Errors, order.errors)
		count(&a.Unanswered, order.unanswered)
		count(&a.Answered, !order.errors && !order.unanswered)
	}
	return a
}

func TestAccountsBalanceWithEachFault(t *testing.T) {
	t.Parallel() // in virtual time
	const orders = 4
	for _, c := range testkit.Few(2, faultCases()) {
		t.Run(c.fault, func(t *testing.T) {
			result := quickly(t, func(config *lab.Config) {
				config.Orders, config.Faults, config.Timeout = orders, faults(c.fault), time.Second
			})
			balanced(t, result)
			for _, form := range flows.Order().DefaultForms() {
				got := result.Forms[form]
				if want := c.expect(form, orders); got.Orders != want {
					t.Errorf("%s: %+v, want %+v", form, got.Orders, want)
				}
				if len(got.Orders.Problems()) > 0 || got.Incomplete > 0 {
					t.Errorf("%s: problems %q, %d journeys incomplete", form, got.Orders.Problems(), got.Incomplete)
				}
			}
			if len(result.Problems) > 0 {
				t.Errorf("problems %q: a fault that was asked for is none", result.Problems)
			}
		})
	}
}

func TestAccountsOfAHealthyRun(t *testing.T) {
	t.Parallel()     // in virtual time
	const orders = 4 // too few to look for a higher rate afterwards
	result := quickly(t, func(c *lab.Config) { c.Orders, c.WarmUp = orders, 2 })
	balanced(t, result)
	want := lab.Accounts{Placed: orders, Accepted: orders, Completed: orders, Answered: orders}
	for form, f := range result.Forms {
		if f.Orders != want || f.Journeys != orders {
			t.Errorf("%s: %+v and %d journeys, want %+v", form, f.Orders, f.Journeys, want)
		}
	}
	if len(result.Problems)+len(result.Warnings) > 0 {
		t.Errorf("problems %q, warnings %q", result.Problems, result.Warnings)
	}
	if s := result.Spans; s.Started == 0 || s.Dropped != 0 {
		t.Errorf("spans %+v", s)
	}
}

// TestAccountsBalanceWithoutBroker stops the broker while orders are being placed. The run ends by its deadline; what
// no message reaches any more is pending, and said so.
func TestAccountsBalanceWithoutBroker(t *testing.T) {
	testkit.Unraced(t, "TestKilledBrokerKeepsItsRecords")
	t.Parallel() // in virtual time
	const orders = 8
	const timeout, deadline, stop = time.Second, 3 * time.Second, 10 * time.Second // stop: what Run allows for its end
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen))
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		began := time.Now()
		result, err := lab.Run(t.Context(), lab.Config{
			Orders: orders, WarmUp: 1, Seed: 1, Out: out, Version: "test", Network: network.network(), Kafka: cluster.ListenAddrs(),
			Timeout: timeout, Deadline: deadline,
			Progress: func(at lab.Progress) {
				if at.Stage == "placing orders" && at.Answered == 2*orders {
					cluster.Close()
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*orders*time.Second/80+timeout+deadline+stop {
			t.Errorf("the run took %v", took)
		}
		balanced(t, result)
		for _, form := range flows.Order().DefaultForms() {
			a := result.Forms[form].Orders
			uses := form == services.Kafka || form == services.Hybrid
			if calm := (lab.Accounts{Placed: orders, Accepted: orders, Completed: orders, Answered: orders}); !uses && a != calm {
				t.Errorf("%s: %+v, want %+v: it has no messages", form, a, calm)
			}
			if uses && (a.Pending == 0 || a.Placed != orders) {
				t.Errorf("%s: %+v, want some orders pending", form, a)
			}
			if told := strings.Contains(strings.Join(result.Problems, "\n"), string(form)+": "); told != uses {
				t.Errorf("%s: problems %q", form, result.Problems)
			}
		}
	})
}
