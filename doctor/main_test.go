package doctor_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

// TestMain finds goroutines that the doctor, or a service, has left behind.
func TestMain(m *testing.M) {
	testmain.Waiting()
	goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit))
}

// discard is a logger for what no test reads.
var discard = slog.New(slog.DiscardHandler)

// quiet is a logger for servers that are spoken to wrongly on purpose.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
