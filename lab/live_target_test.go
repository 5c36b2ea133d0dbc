package lab_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tracelab/lab"
	"tracelab/lab/links"
	"tracelab/services"
)

// TestLiveOfServicesElsewhere: units are placed there, their journeys come by OTLP or out of a Jaeger, and what is out of reach is refused in words.
func TestLiveOfServicesElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("otlp", func(t *testing.T) {
		receiver := receiverAddress(t)
		elsewhere := startTarget(t, receiver, unchanged)
		l := placeElsewhere(t, lab.Config{Seed: 1, Target: elsewhere.url, ReceiveOTLP: receiver})
		defer closeLive(t, l)
		link, err := lab.ParseLink(l.Flow(), "orders>payment:cut")
		if err != nil {
			t.Fatal(err)
		}
		for want, err := range map[string]error{
			"processes elsewhere":   l.Do(context.Background(), lab.Event{Do: "kill", Part: "payment"}),
			"do not obey faults":    l.SetConditions(lab.Conditions{Faults: faults("payment:delay=1ms")}),
			"the services at --tar": l.SetConditions(lab.Conditions{Links: []links.Link{link}}),
		} {
			if _, ok := errors.AsType[*lab.ConfigError](err); !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
	t.Run("jaeger", func(t *testing.T) {
		jaeger := startJaegerServer(t, dialects[1])
		elsewhere := startTarget(t, jaeger.otlp, unchanged)
		l := placeElsewhere(t, lab.Config{Seed: 1, Target: elsewhere.url, Jaeger: jaeger.URL})
		defer closeLive(t, l)
		if where := l.Where(); where.Jaeger != jaeger.URL || where.Gateway != elsewhere.url {
			t.Errorf("%+v", where)
		}
	})
}

// placeElsewhere opens a lab with services elsewhere, and places twins, whose journeys become complete.
func placeElsewhere(t *testing.T, c lab.Config) *lab.Live {
	t.Helper()
	l := openLive(t, c, 0)
	placed, err := l.Place(t.Context(), services.GRPC, services.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	s := rest(t, l)
	for _, p := range placed {
		if j, ok := l.Journey(p.Key); !ok || j.State != lab.StateCompleted || j.Journey == nil || j.Incomplete != "" {
			t.Errorf("%v: %+v", p.Key, j.JourneyLine)
		}
	}
	if len(s.Parts)+len(s.Problems) > 0 {
		t.Errorf("parts %v, problems %q", s.Parts, s.Problems)
	}
	return l
}
