package lab_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestLiveLagAndDeadLetters: what waits for a service that is away, and what was put aside, is counted while somebody looks; that the broker is down is said.
func TestLiveLagAndDeadLetters(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.Kafka}, Network: (&virtualNetwork{}).network()}, 0)
		defer closeLive(t, l)
		do := func(what, part string) {
			t.Helper()
			if err := l.Do(context.Background(), lab.Event{Do: what, Part: part}); err != nil {
				t.Fatal(err)
			}
		}
		place := func() {
			t.Helper()
			if _, err := l.Place(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		until := func(what string, is func(lab.Snapshot) bool) {
			t.Helper()
			testkit.Await(t, what, time.Minute, func(context.Context) error {
				if s := l.Snapshot(); !is(s) {
					return fmt.Errorf("lag %v, dead letters %v, problems %q", s.Lag, s.Dead, s.Problems)
				}
				return nil
			})
		}
		do("kill", "payment")
		place()
		waits := lab.GroupLag{Group: "payment", Topic: "stock.reserved", Records: 1}
		until("one to wait for payment", func(s lab.Snapshot) bool {
			return slices.Contains(s.Lag, waits) && strings.Contains(strings.Join(s.Problems, ""), "payment is down")
		})
		do("start", "payment")
		until("nothing to wait", func(s lab.Snapshot) bool {
			return s.AtRest && !slices.ContainsFunc(s.Lag, func(g lab.GroupLag) bool { return g.Records > 0 })
		})
		if err := l.SetConditions(lab.Conditions{Faults: faults("inventory:poison")}); err != nil {
			t.Fatal(err)
		}
		place()
		until("a dead letter", func(s lab.Snapshot) bool {
			return s.AtRest && slices.Contains(s.Dead, lab.DeadLetters{Topic: "stock.reserved.dlq", Records: 1}) && s.Forms[0].Accounts.Completed == 2
		})
		do("kill", "kafka")
		until("the broker to be down", func(s lab.Snapshot) bool {
			return strings.Contains(strings.Join(s.Problems, "\n"), "kafka is down")
		})
		do("start", "kafka")
		until("no problem", func(s lab.Snapshot) bool { return len(s.Problems)+len(s.Unheard) == 0 })
		do("pause", "kafka")
		place()
		until("old figures to be said to be old", func(s lab.Snapshot) bool {
			return len(s.Unheard) == 1 && strings.HasPrefix(s.Unheard[0], "Kafka: no answer within 1s; what waits there is of ")
		})
		if list, _ := l.Recent(); list[0].Error != "no answer within 5s" {
			t.Errorf("its client was told %q", list[0].Error)
		}
		do("start", "kafka")
		until("rest", func(s lab.Snapshot) bool { return s.AtRest && len(s.Problems)+len(s.Unheard) == 0 })
	})
}
