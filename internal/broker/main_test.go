//go:build linux || darwin

package broker

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
