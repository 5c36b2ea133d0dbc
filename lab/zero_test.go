package lab

import (
	"errors"
	"math"
	"testing"

	"tracelab/services"
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

// TestALabThatWasNotOpened has nothing, and says so to whoever wants something done.
func TestALabThatWasNotOpened(t *testing.T) {
	var l Live
	ctx := t.Context()
	_, err := l.Place(ctx)
	_, of := l.Place(ctx, services.GRPC)
	for _, err := range []error{err, of, l.SetStream(Stream{}), l.SetStream(Stream{Rate: 1, Forms: []services.Form{services.GRPC}}), l.SetConditions(Conditions{}), l.Do(ctx, Event{Part: "kafka", Do: "kill"})} {
		if !errors.Is(err, errNotOpen) {
			t.Errorf("%v", err)
		}
	}
	lines, leftOut := l.Recent()
	_, journey := l.Journey(UnitKey{})
	_, spans := l.OTLP(UnitKey{})
	_, line := l.Line(UnitKey{})
	s := l.Snapshot()
	if len(lines)+leftOut+len(s.Forms) > 0 || journey || spans || line || l.Flow() != nil || len(l.Forms()) > 0 || l.Where() != (Where{}) || l.Changed() != nil || l.Stream().Rate != 0 || len(l.Conditions().Faults) > 0 {
		t.Error("a lab that was not opened has something")
	}
	if err := l.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestABrokerThatWasNotStarted is nowhere.
func TestABrokerThatWasNotStarted(t *testing.T) {
	var b Broker
	if len(b.Addresses()) > 0 || b.State() != partDown || b.Stop(t.Context(), "kafka") == nil || b.Kill("kafka") == nil || b.Pause("kafka") == nil || b.Start(t.Context(), "kafka") == nil {
		t.Errorf("a broker that was not started: %v %s", b.Addresses(), b.State())
	}
	b.Close()
}
