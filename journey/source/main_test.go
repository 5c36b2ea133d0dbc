package source_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sized returns how large a test is: under the race detector a part of its full size.
func sized(full, part int) int {
	if watched {
		return full / part
	}
	return full
}
