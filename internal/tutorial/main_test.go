package tutorial

import (
	"testing"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) {
	if err := BecomeShell(); err != nil {
		panic(err)
	}
	testmain.Run(m)
}
