package faults

import (
	"strings"
	"testing"
)

func TestACrashHasAPoint(t *testing.T) {
	for _, point := range CrashPoints() {
		f, err := Parse("payment:crash="+point+"@0.1", services)
		if err != nil || !f.CrashesAt(point) || f.String() != "payment:crash="+point+"@0.1" {
			t.Errorf("%s: %v %v", point, f, err)
		}
	}
	for _, wrong := range []string{"payment:crash", "payment:crash=after-lunch"} {
		if _, err := Parse(wrong, services); err == nil || !strings.Contains(err.Error(), "after-work") {
			t.Errorf("%s: %v, want the points", wrong, err)
		}
	}
}
