package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"

	"go.opentelemetry.io/otel"
)

// Settings of the whole process: each command's Run makes those that it needs, before anything else.

// How much memory the program takes before the garbage collector works harder, in bytes.
const (
	// runLimit is that of `run`.
	runLimit = 440 << 20
	// readingLimit is that of the commands that read traces. A million spans stay below it and a gigabyte in all. More of them
	// than fit take more memory, and up to twice the CPU time.
	readingLimit = 900 << 20
)

// limitMemory sets the memory limit. GOMEMLIMIT, when it is set, decides instead.
func limitMemory(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// collectRarely lets the heap grow to five times what is live before the garbage collector runs, within the memory limit: in a
// loaded lab its cycles show in the p99 first. GOGC, when it is set, decides instead.
func collectRarely() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// logOTelErrors logs the errors that OpenTelemetry reports to its global handler only. A reader that is stopped reports that it
// was canceled.
func logOTelErrors(log *slog.Logger) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, context.Canceled) {
			log.Warn("opentelemetry", "error", err)
		}
	}))
}
