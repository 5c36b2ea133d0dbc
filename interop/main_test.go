//go:build !stack

package interop

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
