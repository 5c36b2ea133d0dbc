package watch

import (
	"testing"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }
