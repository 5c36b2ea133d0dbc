package services

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/store"
)

// mended is when the cause of the failures of a redriveRun is over, after its start. It has given up what it fails by then.
const mended = 2 * time.Second

// redriveRun is a few orders that fail for good and are redriven when the cause is mended, while services crash at points of their work and are
// killed. A redrive may be made twice at the same time.
type redriveRun struct {
	crashRun
	twice bool
}

// redriveRuns draws runs of orders that fail at the payment or behind it.
func redriveRuns() *rapid.Generator[redriveRun] {
	return rapid.Custom(func(t *rapid.T) redriveRun {
		c := redriveRun{crashRun: crashRuns([]string{"memory", "file"}).Draw(t, "run"), twice: rapid.Bool().Draw(t, "twice")}
		c.form = rapid.SampledFrom([]Form{Kafka, "rabbitmq", "reply"}).Draw(t, "form")
		c.faults = append(c.faults, faults.Fault{Service: rapid.SampledFrom([]string{Payment, Shipping}).Draw(t, "failing"), Kind: "error", Value: "no_luck",
			Share: rapid.SampledFrom([]float64{0.5, 1}).Draw(t, "failed"), To: mended})
		return c
	})
}

// TestPropertyRedrives: whatever crashes and is killed while orders fail, are undone and begin anew, each is completed in the end. What is never undone
// has its effect once, and what is undone once in each generation; each generation but the last is undone, and the last is not.
func TestPropertyRedrives(t *testing.T) {
	t.Parallel() // in virtual time
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		labs := map[string]*testLab{}
		lab := func(name string) *testLab {
			if labs[name] == nil {
				at := ""
				if name == "file" {
					at = filepath.Join(dir, name)
				}
				l := crashLab(t, at, false)
				l.config.Flow = retrying(t, "payment.Charge", "2 within 1s, backoff 10ms")
				l.config.Flow.Rows[rowOf(l.config.Flow, Dispatch)].Retry = l.config.Flow.Rows[rowOf(l.config.Flow, Charge)].Retry
				labs[name] = l
				l.start()
			}
			return labs[name]
		}
		defer func() {
			for _, l := range labs {
				l.endCrashLab()
			}
		}()
		runs, most := 0, mostCrashRuns()/8
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			c := redriveRuns().Draw(rt, "run")
			if runs++; runs > most {
				return
			}
			if wrong := lab(c.store).redrives(fmt.Sprint("run", runs), c); wrong != "" {
				rt.Fatal(wrong)
			}
		})
	})
}

// redrives places the orders of a run, redrives what has failed until all is completed, and says what is wrong, "" for nothing.
func (l *testLab) redrives(run string, c redriveRun) string {
	start := time.Now()
	var wg sync.WaitGroup
	for number := range c.orders {
		wg.Go(func() {
			time.Sleep(time.Duration(number) * 20 * time.Millisecond)
			l.place(Experiment{Run: run, Form: c.form, Number: number, Seed: c.seed, Faults: c.faults, Start: start}, tea)
		})
	}
	wg.Wait()
	a, err := l.settled(run, c.form)
	for round := 0; err == nil && a.Failed > 0; round++ {
		if round == 10 {
			return fmt.Sprintf("accounts %+v after %d redrives: want all completed", a, round)
		}
		if round == 0 {
			for _, k := range c.kills {
				wg.Go(func() {
					time.Sleep(k.after)
					if n, err := l.system.find(k.service); err == nil { // it may just have crashed
						l.system.crash(n)
					}
				})
			}
		}
		l.redriveAll(c.twice)
		wg.Wait()
		a, err = l.settled(run, c.form)
	}
	if err != nil {
		return err.Error()
	}
	return l.wronglyRedriven(run, a)
}

// redriveAll sends the dead letters of all topics back.
func (l *testLab) redriveAll(twice bool) {
	l.Helper()
	var wg sync.WaitGroup
	for range map[bool]int{false: 1, true: 2}[twice] {
		wg.Go(func() {
			for _, topic := range l.config.Flow.Topics() {
				l.redrive(topic)
			}
		})
	}
	wg.Wait()
}

// wronglyRedriven says what is wrong with the accounts of a run, and with what the stores have noted of each order.
func (l *testLab) wronglyRedriven(run string, a Accounts) string {
	if a.Completed != a.Accepted || a.Pending != 0 || a.Lost != 0 {
		return fmt.Sprintf("accounts %+v: want all completed", a)
	}
	ctx, kept := context.Background(), l.config.Store.kept
	units, _, err := kept.Page(ctx, run, 0, 100)
	l.must(err)
	generations := 0
	for _, u := range units {
		generations += int(u.Generation)
		if wrong := wrongNotes(ctx, kept, u); wrong != "" {
			return wrong
		}
	}
	if generations != a.BegunAnew {
		return fmt.Sprintf("%d generations, accounts %+v", generations, a)
	}
	for _, step := range flows.Order().Steps() {
		want := a.Accepted
		if step == Reserve {
			want += generations
		}
		if e := a.Effects[step]; e.Once != want || e.Twice != 0 {
			return fmt.Sprintf("%s: %+v, want it %d times, with accounts %+v", step, e, want, a)
		}
	}
	return ""
}

// wrongNotes says which generation of a unit is reserved and is not to be, or the other way round.
func wrongNotes(ctx context.Context, kept store.Store, u *store.Unit) string {
	for generation := range u.Generation + 1 {
		done, err := kept.Find(ctx, u.ID, effectName(string(Reserve), generation))
		undone, err2 := kept.Find(ctx, u.ID, effectName("inventory.Release", generation))
		if last := generation == u.Generation; err != nil || err2 != nil || done == 0 || (undone == 0) != last {
			return fmt.Sprintf("generation %d of %d: reserved by %d, released by %d: %v %v", generation, u.Generation, done, undone, err, err2)
		}
	}
	return ""
}
