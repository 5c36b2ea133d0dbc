package carrier

import (
	"testing"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

// TestMain finds goroutines that a test on the loopback has left. A bubble finds its own.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }
