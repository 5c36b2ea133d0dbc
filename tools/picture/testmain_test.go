package main

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }
