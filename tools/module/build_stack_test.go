//go:build stack

package main

import "testing"

// TestARenamedCopyBuilds compiles all that a renamed copy has, tests included. It needs no real part, only the time of a whole build.
func TestARenamedCopyBuilds(t *testing.T) {
	if out, err := goIn(t, renamedCopy(t), "vet", "-tags", "stack", "work"); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
