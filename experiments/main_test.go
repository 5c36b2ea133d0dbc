package experiments

import (
	"testing"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

// TestMain finds goroutines that a session has left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testmain.Hops(), goleak.Cleanup(testmain.Exit)) }
