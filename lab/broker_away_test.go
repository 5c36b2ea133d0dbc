package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// sumsHold holds the sums of every form of a run in trouble, and that of the spans, as equalities.
func sumsHold(t *testing.T, result *lab.Result) {
	t.Helper()
	for form, f := range result.Forms {
		a := f.Orders
		if a.Placed != a.Accepted+a.Refused+a.Unknown+a.Lost || a.Accepted != a.Completed+a.Failed+a.Pending || a.Placed != a.Answered+a.Errors+a.Unanswered || a.Placed != f.Journeys+f.Incomplete {
			t.Errorf("%s: the accounts do not balance: %+v, %d journeys, %d incomplete", form, a, f.Journeys, f.Incomplete)
		}
	}
	if s := result.Spans; s.Started != s.Exported+s.Dropped {
		t.Errorf("spans: %+v", *s)
	}
}

// TestAKafkaThatDiesInMidRun and stays away, without an event that says so: the run ends within its timeouts, its sums hold, its report is written and
// names the broker; calls go on.
func TestAKafkaThatDiesInMidRun(t *testing.T) {
	testkit.Unraced(t, "TestKilledBrokerKeepsItsRecords")
	t.Parallel() // in virtual time
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		broker, err := lab.StartBroker(network.network())
		if err != nil {
			t.Fatal(err)
		}
		defer broker.Close()
		const orders = 20
		var once sync.Once
		config := lab.Config{
			Orders: orders, WarmUp: 1, Windows: 1, Rate: 20, Seed: 1, Forms: []services.Form{services.GRPC, services.Kafka, "ack", "reply"}, Out: out, Version: "test", Network: network.network(),
			Kafka: broker.Addresses(), Timeout: 2 * time.Second, Deadline: 5 * time.Second,
			Progress: func(p lab.Progress) {
				if p.Stage == lab.StagePlacing && p.Answered >= orders {
					once.Do(func() {
						if err := broker.Kill(""); err != nil {
							t.Error(err)
						}
					})
				}
			},
		}
		began := time.Now()
		result, err := lab.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if took, most := time.Since(began), 4*orders*time.Second/20+config.Timeout+config.Deadline+10*time.Second; took > most {
			t.Errorf("ended after %v of the network's time, want %v at the most", took, most)
		}
		sumsHold(t, result)
		if a := result.Forms[services.GRPC].Orders; a.Completed != orders || a.Errors+a.Unanswered != 0 {
			t.Errorf("calls need no broker: %+v", a)
		}
		if result.Forms[services.Kafka].Orders.Pending == 0 {
			t.Error("no order is pending: the broker did not stay away")
		}
		if want := "the Kafka at " + broker.Addresses()[0] + " is away"; len(result.Problems) == 0 || !strings.HasPrefix(result.Problems[0], want) || !strings.Contains(result.Problems[0], "(task kafka)") {
			t.Errorf("problems %q, want the first to be %q and the way out", result.Problems, want)
		}
		if _, err := os.Stat(filepath.Join(result.Dir, "run.json")); err != nil {
			t.Error(err)
		}
	})
}

// TestAccountsThatNobodyCanRead: when the service that keeps them is killed for good, what clients were told is accepted counts as lost, and the sums hold.
func TestAccountsThatNobodyCanRead(t *testing.T) {
	testkit.Unraced(t, "TestKilledServiceIsExplained")
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, []string{"1s:kill:orders"}, func(t *testing.T, result *lab.Result) {
		for form, f := range result.Forms {
			if a := f.Orders; a.Lost == 0 || a.Accepted != 0 {
				t.Errorf("%s: %+v, want every order lost that a client was told of", form, a)
			}
		}
		if told := strings.Join(result.Problems, "\n"); !strings.Contains(told, "own state cannot be read") {
			t.Errorf("problems %s", told)
		}
	})
}
