package lab_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// openLive opens a lab that stays up, in virtual time when it is called there.
func openLive(t *testing.T, c lab.Config, recent int) *lab.Live {
	t.Helper()
	c.Version = "test"
	l, err := lab.Open(t.Context(), c, recent)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLive(t *testing.T, l *lab.Live) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Errorf("close: %v", err)
	}
}

// rest waits until the lab is at rest and each kept journey is final, and returns what there is to see then.
func rest(t *testing.T, l *lab.Live) lab.Snapshot {
	t.Helper()
	var s lab.Snapshot
	testkit.Await(t, "the lab to be at rest", 2*time.Minute, func(context.Context) error {
		if s = l.Snapshot(); !s.AtRest {
			return fmt.Errorf("it is not: %+v", s)
		}
		list, _ := l.Recent()
		for _, line := range list {
			if !line.Final {
				return fmt.Errorf("%v is %s: %s", line.Key, line.State, line.Incomplete)
			}
		}
		return nil
	})
	return s
}

// TestLiveKeepsTwins: the same unit in every form of the flow has its answers, its accounts and a complete journey each.
func TestLiveKeepsTwins(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Network: (&virtualNetwork{}).network()}, 0)
		defer closeLive(t, l)
		placed, err := l.Place(t.Context(), l.Forms()...)
		if err != nil || len(placed) != len(l.Forms()) {
			t.Fatal(placed, err)
		}
		s := rest(t, l)
		if len(s.Problems) > 0 || s.Kept != len(placed) || s.LeftOut != 0 {
			t.Errorf("%d kept, %d left out, problems %q", s.Kept, s.LeftOut, s.Problems)
		}
		for i, form := range s.Forms {
			a := form.Accounts
			if a.Placed != 1 || a.Accepted != 1 || a.Completed != 1 || len(a.Problems()) > 0 || form.Effects.Once == 0 || form.CallerWait.N != 1 || form.Completion.N != 1 {
				t.Errorf("%s: %+v", form.Form, form)
			}
			j, ok := l.Journey(placed[i].Key)
			if !ok || j.State != lab.StateCompleted || j.Journey == nil || j.Incomplete != "" || j.WaitMS == nil || j.CompletionMS == nil || j.Key.Number != 0 {
				t.Errorf("%s: %v %+v", form.Form, ok, j.JourneyLine)
			}
		}
		if _, ok := l.Journey(lab.UnitKey{Form: services.GRPC, Number: 1}); ok {
			t.Error("a unit that was not placed has a journey")
		}
	})
}
