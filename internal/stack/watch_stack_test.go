//go:build stack && (linux || darwin)

package stack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tracelab/internal/promapi"
	"tracelab/internal/stack"
	"tracelab/internal/testkit"
)

// testOrders of each form are placed.
const testOrders = 3

// ordersAreJudged places orders, by calls and by messages, and waits until their summaries are on the topic of the stack's watcher: compare reads them.
func ordersAreJudged(t *testing.T, o stack.Options, state stack.State) {
	t.Helper()
	for range testOrders {
		placeOrder(t, state.Addresses["TRACELAB_TARGET"], "grpc", http.StatusCreated)
		placeOrder(t, state.Addresses["TRACELAB_TARGET"], "kafka", http.StatusAccepted)
	}
	began := time.Now()
	address := "kafka://" + state.Addresses["KAFKA_ADDR"] + "/tracelab.journeys?root=gateway/POST%20/orders"
	testkit.Await(t, "summaries of the orders", time.Minute, func(ctx context.Context) error {
		out, err := exec.CommandContext(ctx, filepath.Join(o.State, "bin", "tracelab"), "compare", address, address, "--format", "json").Output()
		if err != nil {
			return err // none is there yet
		}
		var answer struct {
			Groups []struct{ Journeys, Incomplete int }
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			return err
		}
		if len(answer.Groups) != 2 || answer.Groups[1].Journeys != 2*testOrders || answer.Groups[1].Incomplete != 0 {
			return fmt.Errorf("%+v, want %d journeys, none incomplete", answer.Groups, 2*testOrders)
		}
		return nil
	})
	t.Logf("judged after %s", time.Since(began))
}

// verdictsAreMeasured waits until Prometheus has the journeys of those orders, each counted once.
func verdictsAreMeasured(t *testing.T, state stack.State) {
	t.Helper()
	began := time.Now()
	testkit.Await(t, "journeys in Prometheus", time.Minute, func(ctx context.Context) error {
		samples, err := promapi.Client{URL: state.Addresses["TRACELAB_PROMETHEUS"]}.Query(ctx,
			`sum(tracelab_journey_judged_total{tracelab_journey_root="gateway POST /orders", tracelab_journey_outcome="ok"})`)
		if err != nil {
			return err
		}
		if len(samples) != 1 || samples[0].Value != 2*testOrders {
			return fmt.Errorf("%+v, want %d", samples, 2*testOrders)
		}
		return nil
	})
	t.Logf("measured after %s", time.Since(began))
}
