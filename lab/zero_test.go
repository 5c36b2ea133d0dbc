package lab

import (
	"math"
	"testing"
)

func TestZeroValues(t *testing.T) {
	if text := (&ConfigError{}).Error(); text == "" {
		t.Error("a zero ConfigError says nothing")
	}
	kept := newKeptUnits(math.MinInt, func(*keptUnit) {}, func() {})
	kept.makeRoom(&judge{}) // it removed a unit that there is not
	if kept.recent < 1 {
		t.Errorf("%d recent journeys are kept", kept.recent)
	}
}
