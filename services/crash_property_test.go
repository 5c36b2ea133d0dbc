package services

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// crashStores are where the services of TestPropertyCrashes keep what they remember. In memory stands for a store that others keep: it outlives the
// service, and has no outbox.
var crashStores = []string{"memory", "file", "file without outbox", "postgres", "postgres without outbox"}

// crashRun is a few orders that services crash on, each at points of its work, or at some time.
type crashRun struct {
	store  string
	form   Form
	orders int
	seed   uint64
	faults []faults.Fault
	kills  []kill
}

// kill is a service that is killed, and when: since the first order was placed.
type kill struct {
	service string
	after   time.Duration
}

// crashRuns draws runs. A store in memory has no outbox and does not know who holds an order: the entry's service lives on there.
func crashRuns(stores []string) *rapid.Generator[crashRun] {
	return rapid.Custom(func(t *rapid.T) crashRun {
		c := crashRun{store: rapid.SampledFrom(stores).Draw(t, "store"), form: rapid.SampledFrom(flows.Order().Forms()).Draw(t, "form"),
			orders: rapid.IntRange(1, 4).Draw(t, "orders"), seed: rapid.Uint64().Draw(t, "seed")}
		names := []string{Inventory, Payment, Shipping, Notification, Analytics}
		if c.store != "memory" {
			names = append(names, Orders)
		}
		for range rapid.IntRange(0, 4).Draw(t, "faults") {
			c.faults = append(c.faults, faults.Fault{Service: rapid.SampledFrom(names).Draw(t, "service"), Kind: faults.Crash,
				Value: rapid.SampledFrom(faults.CrashPoints()).Draw(t, "point"), Share: rapid.SampledFrom([]float64{0.2, 0.5, 1}).Draw(t, "share")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "kills") {
			c.kills = append(c.kills, kill{rapid.SampledFrom(names).Draw(t, "killed"), time.Duration(rapid.IntRange(0, 120).Draw(t, "ms")) * time.Millisecond})
		}
		return c
	})
}

// TestPropertyCrashes: wherever between its work, its store, its publishing and its commit a service crashes, and whenever it is killed, what was
// accepted is done once in the end: on every store that outlives the process, with and without an outbox, in every form. What went on in the
// memory of a process is counted as lost, and no client was told that it would be done, except by ack.
func TestPropertyCrashes(t *testing.T) {
	t.Parallel() // in virtual time
	url := map[string]string{}
	for _, name := range crashStores {
		if strings.HasPrefix(name, "postgres") {
			url[name] = postgresServer.URL(t)
		}
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		labs := map[string]*testLab{}
		lab := func(name string) *testLab {
			if labs[name] == nil {
				at := url[name]
				if strings.HasPrefix(name, "file") {
					at = filepath.Join(dir, name)
				}
				labs[name] = crashLab(t, at, strings.HasSuffix(name, "without outbox"))
				labs[name].start()
			}
			return labs[name]
		}
		defer func() {
			for _, l := range labs {
				l.endCrashLab()
			}
		}()
		runs, most := 0, testkit.Times(6, mostCrashRuns())
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) { // without the deadline of the test, which is of real time
			c := crashRuns(crashStores).Draw(rt, "run")
			if runs++; runs > most {
				return
			}
			if wrong := lab(c.store).crashes(fmt.Sprint("run", runs), c); wrong != "" {
				rt.Fatal(wrong)
			}
		})
	})
}

// mostCrashRuns is how many runs are drawn: a few, unless somebody asks for a number of checks.
func mostCrashRuns() int {
	if flag.Lookup("rapid.checks").Value.String() == "100" { // rapid's own default
		return 30
	}
	return math.MaxInt
}

// crashLab makes services on a virtual network, with a store at an address: in memory without one.
func crashLab(t *testing.T, address string, noOutbox bool) *testLab {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	l := newTestLab(t, Network{Listen: network.Listen, Dial: network.DialContext}, "127.0.0.1:5672")
	l.config.HTTP, l.config.GRPC = DefaultAddresses(flows.Order())
	l.config.Telemetry.Processors, l.config.Telemetry.Logs, l.config.NoOutbox = nil, slog.DiscardHandler, noOutbox
	l.virtual, l.config.Store = true, NewStore(1000)
	if address != "" {
		var err error
		l.config.Store, err = OpenStore(t.Context(), address, slog.New(slog.DiscardHandler))
		l.must(err)
	}
	return l
}

// endCrashLab ends all that crashLab has started.
func (l *testLab) endCrashLab() {
	l.Helper()
	defer l.closeBrokers()
	defer l.client.CloseIdleConnections()
	defer func() { l.must(l.config.Store.Close()) }()
	l.must(l.stop(10 * time.Minute)) // virtual: a group waits for members that were killed until their sessions have ended, one after another
}

// crashes places the orders of a run, waits until all of it has ended, and says what is wrong, "" for nothing.
func (l *testLab) crashes(run string, c crashRun) string {
	answers := make([]answer, c.orders)
	var wg sync.WaitGroup
	for number := range c.orders {
		wg.Go(func() {
			time.Sleep(time.Duration(number) * 20 * time.Millisecond)
			answers[number] = l.place(Experiment{Run: run, Form: c.form, Number: number, Seed: c.seed, Faults: c.faults}, tea)
		})
	}
	for _, k := range c.kills {
		wg.Go(func() {
			time.Sleep(k.after)
			if n, err := l.system.find(k.service); err == nil { // it may just have crashed
				l.system.crash(n)
			}
		})
	}
	wg.Wait()
	a, err := l.settled(run, c.form)
	if err != nil {
		return err.Error()
	}
	completed := 0
	for number, answer := range answers {
		if answer.status/100 != 2 {
			continue
		}
		completed++
		u, err := l.config.Store.kept.Get(context.Background(), answer.id())
		if err != nil || u.Status != string(Completed) && c.form != "ack" {
			return fmt.Sprintf("order %d was answered %d and is %+v, %v", number, answer.status, u, err)
		}
	}
	if wrong := c.wrong(a, completed); wrong != "" {
		return wrong
	}
	return c.wronglyFired(a, l.system.Fired(run)[c.form])
}

// settled waits until every order of a run has ended, or is lost, all messages are sent, and all services are back and have nothing left to do.
func (l *testLab) settled(run string, form Form) (a Accounts, err error) {
	ctx, ended := context.Background(), time.Time{} // ended: since when all is so
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(time.Second) {
		l.awaitRestarts()
		sums, err := l.config.Store.kept.Sums(ctx, run)
		l.must(err)
		lost, err := l.config.Store.kept.Lost(ctx, run)
		l.must(err)
		backlog, err := l.config.Store.kept.Backlog(ctx)
		l.must(err)
		a = accountsOf(sums[string(form)])
		a.Lost = lost[string(form)]
		switch {
		case time.Now().After(deadline):
			return a, fmt.Errorf("accounts %+v, %d messages to be sent, %d services run: not final", a, backlog, len(l.system.running()))
		case a.Pending != a.Lost || backlog > 0 || len(l.system.running()) < len(l.config.Services):
			ended = time.Time{}
		case ended.IsZero():
			ended = time.Now()
		case time.Since(ended) > 10*time.Second: // what came again has been handled
			return a, nil
		}
	}
}

// wrong says what is wrong with the accounts of a run, of which clients were told that so many orders are accepted.
func (c crashRun) wrong(a Accounts, told int) string {
	outbox := c.store != "memory" && !strings.HasSuffix(c.store, "without outbox")
	switch {
	case a.Accepted < told:
		return fmt.Sprintf("%d accepted, and %d clients were told so", a.Accepted, told)
	case c.messages() && outbox && (a.Completed != a.Accepted || a.Lost != 0):
		return fmt.Sprintf("accounts %+v: want all completed", a)
	case c.store == "memory" && a.Lost != 0:
		return fmt.Sprintf("accounts %+v: want none lost", a)
	}
	for _, step := range flows.Order().Steps() {
		effect := a.Effects[step]
		if effect.Twice != 0 || effect.Once < a.Completed || effect.Once > a.Accepted {
			return fmt.Sprintf("%s: %+v, with accounts %+v: want each once", step, effect, a)
		}
	}
	return ""
}

// wronglyFired says which fault has fired more often than it was drawn, or less often, where nothing else could end an order.
func (c crashRun) wronglyFired(a Accounts, fired map[string]int) string {
	surely := c.messages() && len(c.kills) == 0 && a.Completed == c.orders
	for i, f := range c.faults {
		drawn, sure := 0, 0
		for number := range c.orders {
			if e := (Experiment{Number: number, Seed: c.seed}); e.Hits(f) {
				drawn++
				if !c.storedBefore(e, i) {
					sure++
				}
			}
		}
		if n := fired[f.String()]; n > drawn || surely && f.Service != Orders && n < sure {
			return fmt.Sprintf("%s fired %d times, drawn %d, %d of them for sure", f, n, drawn, sure)
		}
	}
	return ""
}

// storedBefore tells whether another fault may crash the service at the point of an order's work behind the store, instead of one: when the order comes
// again its step is skipped, and that point is not reached a second time.
func (c crashRun) storedBefore(e Experiment, one int) bool {
	for i, f := range c.faults {
		if i != one && f.Service == c.faults[one].Service && f.Value == faults.AfterStore && c.faults[one].Value == faults.AfterStore && e.Hits(f) {
			return true
		}
	}
	return false
}

// messages tells whether messages alone carry an order from its acceptance on.
func (c crashRun) messages() bool {
	return c.form == Kafka || c.form == "rabbitmq" || c.form == "reply"
}
