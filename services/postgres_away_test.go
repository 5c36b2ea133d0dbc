package services

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/internal/postgres/postgrestest"
	"tracelab/internal/testkit"
)

// TestAPostgresThatStaysAway: when the store of a running system goes for good, clients hear of it by its name within their timeout, and the
// services end in time.
func TestAPostgresThatStaysAway(t *testing.T) {
	testkit.Unraced(t, "TestOrdersOnDisk")
	t.Parallel() // it waits, mostly
	server, process := postgrestest.Own(t)
	store, err := OpenStore(t.Context(), process.URL(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	onLoopback(t, func(l *testLab) {
		if s := l.await(l.place(in("r", Kafka), tea).id()); s.Status != Completed {
			t.Fatalf("before: %+v", s)
		}
		ctx, cancel := context.WithTimeout(l.Context(), patience)
		defer cancel()
		l.must(server.Stop(ctx, io.Discard))
		var asking sync.WaitGroup
		for number, form := range []Form{Kafka, GRPC, "reply", "ack"} {
			e := in("r", form)
			e.Number = number + 1
			asking.Go(func() {
				a := l.place(e, tea)
				if p := a.problem(t); a.status != http.StatusServiceUnavailable || !strings.Contains(p.Detail, " at "+process.Address) {
					t.Errorf("%s: answered %d %+v, want 503 that names the store", form, a.status, p)
				}
			})
		}
		asking.Go(func() {
			if a := l.send(l.Context(), http.MethodGet, "/runs/r", "", nil); a.status == http.StatusOK || !strings.Contains(string(a.body), " at "+process.Address) {
				t.Errorf("accounts: answered %d %s, want an error that names the store", a.status, a.body)
			}
		})
		asking.Wait()
		began := time.Now()
		if err := l.stop(2 * time.Second); err == nil || !strings.Contains(err.Error(), " at "+process.Address) {
			t.Errorf("shutdown: %v, want an error that names the store", err)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("ended after %v, want 2 s or a little more", took)
		}
	}, func(c *Config) { c.Store = store })
}
