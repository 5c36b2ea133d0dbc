package lab_test

import (
	"flag"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestMain finds goroutines that a run, a receiver or a forwarder has left behind.
func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m, testmain.Hops(), goleak.Cleanup(testmain.Exit))
}

// discard is a logger for what no test reads.
var discard = slog.New(slog.DiscardHandler)
