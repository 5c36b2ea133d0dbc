package lab_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestLiveSumsHoldOverADurableStore: the store, and the lab, remember fewer units than are placed, and the service of the entry step is killed and started
// in their midst. The sums hold, none is lost, and what went on in the memory of the service that was killed is said; the lab does not wait for it.
func TestLiveSumsHoldOverADurableStore(t *testing.T) {
	testkit.Unraced(t, "TestPropertyLiveAccounts")
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.GRPC, services.Kafka}, Remembered: 4, Faults: faults("payment:delay=300ms"), Store: filepath.Join(t.TempDir(), "store"), Network: (&virtualNetwork{}).network()}, 5)
		defer closeLive(t, l)
		if err := l.SetStream(lab.Stream{Rate: 20, Forms: l.Forms()}); err != nil {
			t.Fatal(err)
		}
		for _, do := range []string{"kill", "start"} {
			time.Sleep(500 * time.Millisecond)
			if err := l.Do(t.Context(), lab.Event{Do: do, Part: "orders"}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(500 * time.Millisecond)
		if err := l.SetStream(lab.Stream{}); err != nil {
			t.Fatal(err)
		}
		s := rest(t, l)
		lost := 0
		for _, f := range s.Forms {
			a := f.Accounts
			lost += a.PendingLost
			if wrong := a.Imbalances(); len(wrong) > 0 || a.Lost > 0 || a.Pending != a.PendingLost || a.Placed < 10 || a.Completed < 5 {
				t.Errorf("%s: %+v %q", f.Form, a, wrong)
			}
		}
		if said := strings.Contains(strings.Join(s.Problems, "\n"), "went on in the memory of a process that has ended"); lost == 0 || !said {
			t.Errorf("%d units went on in the memory of orders, and the lab says %q", lost, s.Problems)
		}
	})
}
