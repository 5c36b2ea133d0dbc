package lab_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// TestPropertyLiveAccounts: whatever is placed, and whatever is stopped, killed, paused and started meanwhile, the accounts of each form hold when the
// lab is at rest, no step is done twice, and what is kept is bounded.
func TestPropertyLiveAccounts(t *testing.T) {
	t.Parallel() // in virtual time
	for _, seed := range testkit.Few(1, []uint64{9, 11, 24}) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { disturbLive(t, seed) })
		})
	}
}

const keptInProperty = 30

func disturbLive(t *testing.T, seed uint64) {
	l := openLive(t, lab.Config{Seed: seed, Forms: []services.Form{services.REST, services.GRPC, services.Kafka, services.Hybrid}, Timeout: 2 * time.Second,
		Network: (&virtualNetwork{}).network()}, keptInProperty)
	defer closeLive(t, l)
	random := rand.New(rand.NewPCG(seed, 0))
	var log []string
	did := func(what string, err error) {
		log = append(log, fmt.Sprintf("%s %s: %v", time.Now().Format("05.000"), what, err))
	}
	for range 9 {
		switch random.IntN(3) {
		case 0:
			_, err := l.Place(t.Context(), l.Forms()[:1+random.IntN(len(l.Forms()))]...)
			did("place", err)
		case 1:
			s := lab.Stream{Rate: float64(random.IntN(3) * 10), Forms: l.Forms()}
			did(fmt.Sprint("stream ", s.Rate), l.SetStream(s))
		default:
			parts := l.Snapshot().Parts
			part := parts[random.IntN(len(parts))]
			e := lab.Event{Do: part.CanDo[random.IntN(len(part.CanDo))], Part: part.Name}
			did(e.String(), l.Do(context.Background(), e))
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
	}
	if err := l.SetStream(lab.Stream{}); err != nil {
		t.Error(err)
	}
	for _, part := range slices.Backward(l.Snapshot().Parts) { // the broker first: services join it
		if slices.Contains(part.CanDo, "start") {
			if err := l.Do(context.Background(), lab.Event{Do: "start", Part: part.Name}); err != nil {
				t.Errorf("%v\n%q", err, log)
			}
		}
	}
	s := rest(t, l)
	list, leftOut := l.Recent()
	placed := 0
	for _, f := range s.Forms {
		if f.Accounts.Lost > 0 && !strings.Contains(strings.Join(s.Problems, ""), "orders was restarted") {
			t.Errorf("%d units are lost, and nobody says why: %q", f.Accounts.Lost, s.Problems)
		}
		placed += f.Accounts.Placed
		if wrong := f.Accounts.Imbalances(); len(wrong) > 0 || f.Accounts.Pending > 0 || f.Effects.Twice > 0 {
			t.Errorf("%s: %q %+v %+v\n%q", f.Form, wrong, f.Accounts, f.Effects, log)
		}
	}
	if len(list) > keptInProperty || len(list)+leftOut != placed {
		t.Errorf("%d units are kept and %d left out of %d", len(list), leftOut, placed)
	}
}
