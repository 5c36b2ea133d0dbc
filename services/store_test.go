package services

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services/flows"
)

// onDisk runs f with a lab on each kind of store that outlives its process. reopen stops the services, opens the store as the next process does,
// and starts them again.
func onDisk(t *testing.T, f func(l *testLab, reopen func()), changes ...func(*Config)) {
	for kind, address := range map[string]func(t *testing.T) string{
		"file":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "store") },
		"postgres": func(t *testing.T) string { return postgresServer.URL(t) },
	} {
		t.Run(kind, func(t *testing.T) {
			at := address(t)
			open := func() *Store {
				s, err := OpenStore(t.Context(), at, nil)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			s := open()
			defer func() { _ = s.Close() }() // a test that fails may have closed it
			onLoopback(t, func(l *testLab) {
				f(l, func() {
					l.must(l.stop(patience))
					l.must(s.Close())
					s = open()
					l.config.Store = s
					l.start()
				})
				l.must(l.stop(patience))
			}, append(changes, func(c *Config) { c.Store = s })...)
		})
	}
}

// backlog is how many messages wait in the outbox.
func (l *testLab) backlog() int {
	l.Helper()
	n, err := l.config.Store.kept.Backlog(context.Background())
	l.must(err)
	return n
}

// TestOrdersOnDisk: all forms do the same on every store, each step once, and the next process knows all of it: states, sums, and the answers that
// belong to keys.
func TestOrdersOnDisk(t *testing.T) {
	onDisk(t, func(l *testLab, reopen func()) {
		forms := flows.Order().Forms()
		answers := map[Form]answer{}
		for _, form := range forms {
			answers[form] = l.place(in("r", form), tea, "Idempotency-Key", string(form))
			l.await(answers[form].id())
		}
		check := func(when string) {
			l.Helper()
			for _, form := range forms {
				first := answers[form]
				l.until(fmt.Sprintf("%s: each step of %s is counted once", when, form), func() bool {
					a := l.summary().Forms[form]
					once := 0
					for _, effect := range a.Effects {
						once += effect.Once
					}
					return a.Accepted == 1 && a.Completed == 1 && a.Lost == 0 && once == len(flows.Order().Steps())
				})
				again := l.place(in("r", form), tea, "Idempotency-Key", string(form))
				if again.status != first.status || string(again.body) != string(first.body) {
					l.Errorf("%s: %s: answered %d %s, and with the same key %d %s", when, form, first.status, first.body, again.status, again.body)
				}
			}
			if n := len(l.orders("r")); n != len(forms) {
				l.Errorf("%s: %d orders, want %d", when, n, len(forms))
			}
		}
		check("before")
		l.until("the outbox is empty", func() bool { return l.backlog() == 0 })
		reopen()
		check("after a restart")
		l.checkStatements()
	})
}

// checkStatements holds that each statement's span is below a span of the service that ran it: one that answered ends after its answer.
func (l *testLab) checkStatements() {
	l.Helper()
	statements := 0
	l.until("each statement has a parent in its own service", func() bool {
		by := map[string]sdktrace.ReadOnlySpan{}
		for _, span := range l.ended() {
			by[span.SpanContext().SpanID().String()] = span
		}
		statements = 0
		for _, span := range l.ended() {
			if attributes(span)["db.system.name"].AsString() == "" {
				continue
			}
			statements++
			if parent, ok := by[span.Parent().SpanID().String()]; !ok || span.Resource().String() != parent.Resource().String() {
				return false
			}
		}
		return true
	})
	if postgres := strings.HasPrefix(l.config.Store.Name(), "PostgreSQL"); postgres != (statements > 0) {
		l.Errorf("%d spans of statements on %s", statements, l.config.Store.Name())
	}
}

// cut ends each connection to the broker that sends a message, until mend is called.
func (l *testLab) cut() (mend func()) {
	mended := false
	l.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if mended {
			return nil, nil, false
		}
		l.cluster.KeepControl()
		return nil, fmt.Errorf("cut"), true
	})
	return func() {
		l.cluster.Control(func(kmsg.Request) (kmsg.Response, error, bool) { mended = true; return nil, nil, false })
	}
}

// TestTheOutboxTakesWhatTheBrokerDoesNot: while the broker takes nothing, clients get their answer at once and messages wait; they go out when it is
// back, also after a restart, in the trace of their order, and each step is done once.
func TestTheOutboxTakesWhatTheBrokerDoesNot(t *testing.T) {
	m := &meters{}
	onDisk(t, func(l *testLab, reopen func()) {
		var ids []string
		place := func(number int) {
			e := in("r", Kafka)
			e.Number = number
			begin := time.Now()
			a := l.place(e, tea)
			if took := time.Since(begin); a.status != http.StatusAccepted || took > handOverTimeout {
				l.Errorf("answered %d %s after %v, want 202 at once", a.status, a.body, took)
			}
			ids = append(ids, a.id())
		}
		place(0)
		l.await(ids[0])
		mend := l.cut()
		for number := 1; number < 4; number++ {
			place(number)
		}
		if n := l.backlog(); n < 3 {
			l.Errorf("%d messages wait, want 3", n)
		}
		if gauges := l.named(m, "tracelab.outbox.messages"); len(gauges) == 0 || gauges[len(gauges)-1].service != Orders || gauges[len(gauges)-1].value < 3 {
			l.Errorf("the outbox is measured as %+v, want 3 messages of %s", gauges, Orders)
		}
		mend()
		place(4)
		for _, id := range ids {
			l.await(id)
		}
		l.until("the outbox is empty", func() bool { return l.backlog() == 0 })
		reopen()
		place(5)
		l.await(ids[5])
		l.until("each step is counted once", func() bool {
			effects := l.summary().Forms[Kafka].Effects
			for _, step := range flows.Order().Steps() {
				if effects[step].Once != len(ids) {
					return false
				}
			}
			return true
		})
		traces := map[string]string{} // the order of each trace
		sent := 0
		for _, span := range l.ended() {
			if span.Name() != "send order.placed" {
				continue
			}
			sent++
			trace, id := span.SpanContext().TraceID().String(), attributes(span)["messaging.message.conversation_id"].AsString()
			if id == "" || cmp.Or(traces[trace], id) != id {
				l.Errorf("a message of %q is sent in the trace of %q", id, traces[trace])
			}
			traces[trace] = id
			if len(span.Links()) != 1 {
				l.Errorf("a send span has %d links, want one to its create span", len(span.Links()))
			}
		}
		if sent < len(ids) || len(traces) != len(ids) {
			l.Errorf("%d sent in %d traces, want %d", sent, len(traces), len(ids))
		}
	}, func(c *Config) { m.readers = nil; m.measured(c) })
}

// TestStoreAddresses that make no sense are refused before anything is opened, without what is secret in them.
func TestStoreAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"mysql://user:secret@host/db":              "use a file, or postgres://",
		"postgres://user:secret@host:port/db":      "store: ",
		"postgres://user:secret@host/?sslmode=odd": "sslmode",
	} {
		err := CheckStore(address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want an error with %q and no password", address, err, want)
		}
	}
	for _, address := range []string{"", "store.db", "/var/lib/store", "postgres://u:p@127.0.0.1:5432/db", "postgresql://127.0.0.1/db"} {
		if err := CheckStore(address); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}
