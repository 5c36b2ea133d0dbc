package lab_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
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
// lab is at rest, and what is kept is bounded. No step is done twice where what services remember outlives them. Where it does not, a step may be done
// again after its service was ended, and then that is said.
func TestPropertyLiveAccounts(t *testing.T) {
	t.Parallel() // in virtual time
	type drawing struct {
		seed    uint64
		durable bool
	}
	for _, d := range testkit.Few(1, []drawing{{9, true}, {9, false}, {11, true}, {24, false}}) {
		t.Run(fmt.Sprintf("%d durable %v", d.seed, d.durable), func(t *testing.T) {
			t.Parallel()
			store := ""
			if d.durable {
				store = filepath.Join(t.TempDir(), "store")
			}
			synctest.Test(t, func(t *testing.T) { disturbLive(t, d.seed, store) })
		})
	}
}

const keptInProperty = 30

func disturbLive(t *testing.T, seed uint64, store string) {
	l := openLive(t, lab.Config{Seed: seed, Forms: []services.Form{services.REST, services.GRPC, services.Kafka, services.Hybrid}, Timeout: 2 * time.Second, Store: store,
		Network: (&virtualNetwork{}).network()}, keptInProperty)
	defer closeLive(t, l)
	random := rand.New(rand.NewPCG(seed, 0))
	var log []string
	ended := false // a service was
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
			ended = ended || e.Part != "kafka" && (e.Do == "kill" || e.Do == "stop")
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
		if wrong := f.Accounts.Imbalances(); len(wrong) > 0 || f.Accounts.Pending > 0 {
			t.Errorf("%s: %q %+v\n%q", f.Form, wrong, f.Accounts, log)
		}
		if f.Effects.Twice > 0 && (store != "" || !ended || !strings.Contains(strings.Join(s.Problems, "\n"), "effects that were in memory were forgotten")) {
			t.Errorf("%s: %+v, and said is %q\n%q", f.Form, f.Effects, s.Problems, log)
		}
	}
	if len(list) > keptInProperty || len(list)+leftOut != placed {
		t.Errorf("%d units are kept and %d left out of %d", len(list), leftOut, placed)
	}
}
