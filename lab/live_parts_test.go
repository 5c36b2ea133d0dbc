package lab_test

import (
	"context"
	"errors"
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

// TestWhatAStartWaitsFor: a service cannot start while its broker is away, which is said at once. While Kafka still has the member that was
// killed, the part is starting, and what it waits for is said.
func TestWhatAStartWaitsFor(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.Kafka}, Network: (&virtualNetwork{}).network()}, 0)
		defer closeLive(t, l)
		do := func(what, part string) error {
			return l.Do(context.Background(), lab.Event{Do: what, Part: part})
		}
		if err := errors.Join(do("kill", "orders"), do("pause", "kafka")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := do("start", "orders")
		if _, wrong := errors.AsType[*lab.ConfigError](err); !wrong || !strings.Contains(err.Error(), "start kafka first") || time.Since(began) > 0 {
			t.Errorf("start orders while kafka is paused: %v, after %v", err, time.Since(began))
		}
		if err := do("start", "kafka"); err != nil {
			t.Fatal(err)
		}
		started := make(chan error, 1)
		go func() { started <- do("start", "orders") }()
		testkit.Await(t, "it to be starting", time.Minute, func(context.Context) error {
			s := l.Snapshot()
			if i := slices.IndexFunc(s.Parts, func(p lab.Part) bool { return p.Name == "orders" }); s.Parts[i].State != "starting" || !strings.Contains(s.Parts[i].Waits, "after up to 6s") ||
				!slices.Contains(s.Problems, "orders is starting: "+s.Parts[i].Waits) {
				return fmt.Errorf("%+v, problems %q", s.Parts[i], s.Problems)
			}
			return nil
		})
		if err := <-started; err != nil {
			t.Error(err)
		}
		if s := l.Snapshot(); slices.ContainsFunc(s.Parts, func(p lab.Part) bool { return p.State != "running" || p.Waits != "" }) {
			t.Errorf("in the end: %+v", s.Parts)
		}
	})
}

// TestAStartWithoutItsBrokerIsExplained: the run says what was to be started first.
func TestAStartWithoutItsBrokerIsExplained(t *testing.T) {
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC}, []string{"1s:kill:kafka", "2s:kill:payment", "2100ms:start:payment"}, func(t *testing.T, result *lab.Result) {
		if problems := strings.Join(result.Problems, "\n"); !strings.Contains(problems, "event 2.1s:start:payment failed: kafka is down, and a service joins it as it starts: start kafka first") {
			t.Errorf("problems:\n%s", problems)
		}
	}, func(c *lab.Config) { c.Orders = 40 })
}
