//go:build linux || darwin

package stack_test

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
