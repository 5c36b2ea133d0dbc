package lab

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/telemetry"
	"tracelab/services"
	"tracelab/services/flows"
)

// startRemembering starts the services, without a broker, and returns a client for them. Orders remembers so many orders.
func startRemembering(t *testing.T, remembered int) *client {
	t.Helper()
	common := telemetry.Config{Propagator: services.Propagator(slog.New(slog.DiscardHandler)), BaggageKeys: services.BaggageKeys()}
	system, err := services.Start(t.Context(), services.Config{Services: flows.Order().Services(), Workers: 1, Remembered: remembered, Telemetry: common, Network: services.TCP()})
	if err != nil {
		t.Fatal(err)
	}
	provider, err := common.New(clientName)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient("http://"+system.Address(services.Gateway), flows.Order(), services.TCP(), services.TCP(), provider, 10*time.Second)
	t.Cleanup(func() {
		c.close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := system.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestStatesAreReadOnceWhateverOrdersForgets, and from the first page on when another instance of orders answers.
func TestStatesAreReadOnceWhateverOrdersForgets(t *testing.T) {
	const run, page, orders = "run", 20, 30
	seen := map[int]services.Status{}
	place := func(c *client, orders int) {
		// On a busy machine some are refused, or fail.
		l := load{client: c, flow: flows.Order(), run: run, forms: []services.Form{services.REST}, orders: orders, rate: 200, answered: func(order) {}}
		if _, _, err := l.offer(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read := func(s *stateReader, all func(context.Context) error) (accepted int) {
		summary, err := s.client.summary(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		s.now(summary.Orders)
		if err := all(t.Context()); err != nil {
			t.Fatal(err)
		}
		return summary.Forms[services.REST].Accepted
	}
	reader := newStateReader(startRemembering(t, orders), run, func(s services.State) { seen[s.Number] = s.Status })
	reader.page = page
	reader.begin()
	before := 0
	for range 3 {
		place(reader.client, orders)
		accepted := read(reader, reader.round)
		if len(seen) != accepted-before || len(seen) == 0 {
			t.Errorf("%d orders were read, want the %d that were accepted", len(seen), accepted-before)
		}
		before = accepted
		clear(seen)
	}
	reader.client = startRemembering(t, orders)
	place(reader.client, 20)
	if accepted := read(reader, reader.rest); len(seen) != accepted || accepted == 0 {
		t.Errorf("%d orders of the new instance were read, want %d", len(seen), accepted)
	}
}

// TestSumsAndStatesAreOfTheSameOrders although orders goes on accepting while they are read.
func TestSumsAndStatesAreOfTheSameOrders(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		const late = 3
		accepted, read := 5, 0
		sums := func(context.Context) (services.Summary, error) {
			return services.Summary{Forms: map[services.Form]services.Accounts{services.REST: {Accepted: accepted, Completed: accepted}}}, nil
		}
		states := func(context.Context) error {
			if accepted < 5+late {
				accepted++
			}
			read = accepted
			return nil
		}
		got, err := steady(t.Context(), sums, states)
		if err != nil || got.Forms[services.REST].Accepted != read || read != 5+late {
			t.Errorf("sums of %d orders, states of %d, %v: want %d of both", got.Forms[services.REST].Accepted, read, err, 5+late)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		endless := func(context.Context) error { accepted++; return nil }
		if got, err := steady(ctx, sums, endless); !errors.Is(err, errMoving) || got.Forms[services.REST].Accepted != accepted {
			t.Errorf("an orders that never ends: %d of %d, %v, want what was read last, and an error", got.Forms[services.REST].Accepted, accepted, err)
		}
	})
}
