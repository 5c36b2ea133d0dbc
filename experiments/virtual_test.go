package experiments

import (
	"io"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/broker/brokertest"
	"tracelab/lab"
	"tracelab/services"
)

// publishDelay is what the virtual broker takes for an acknowledgement: without it a message would take no time.
const publishDelay = 500 * time.Microsecond

// oneProcessor lets one goroutine run at a time until the function that it returns is called. In Go 1.26 the timers of a bubble share one context of the
// race detector (runtime/time.go, unlockAndRun), and who receives from a due timer that nobody waits for runs that timer himself. Two who do so on two
// processors damage the context: the process ends some time later with "ThreadSanitizer: CHECK failed", slot_locked or epoch, or with SIGSEGV. Neither
// memory nor the number of goroutines is at its limit then. Races are found on one processor, too: the detector looks at what is ordered, not at the clock.
func oneProcessor() (restore func()) {
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}

// virtually runs claims in virtual time, where no machine is ever short of anything, on a broker that takes its time.
func virtually(t *testing.T, claims []Claim, tamper func(*lab.Config), change func(*Settings)) *Ledger {
	t.Helper()
	if raced {
		defer oneProcessor()()
	}
	out := t.TempDir()
	var ledger *Ledger
	synctest.Test(t, func(t *testing.T) {
		network := &brokertest.Network{}
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.SleepOutOfOrder())
		if err != nil {
			t.Fatal(err)
		}
		defer cluster.Close()
		cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.SleepControl(func() { time.Sleep(publishDelay) })
			return nil, nil, false // not handled: the broker goes on with it, and this function stays
		})
		settings := Settings{
			Orders: 24, Out: out, Version: "test", Kafka: cluster.ListenAddrs(), virtual: true, tamper: tamper, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			network: services.Network{Listen: network.Listen, Dial: network.DialContext},
		}
		if change != nil {
			change(&settings)
		}
		if ledger, err = Run(t.Context(), settings, claims, func(Report) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
	return ledger
}
