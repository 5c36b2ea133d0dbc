//go:build linux || darwin

package server

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
