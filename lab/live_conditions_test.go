package lab_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/lab/links"
	"tracelab/services"
)

// TestLiveConditions: what is set holds for the units that are placed from then on, and is gone when it is taken back.
func TestLiveConditions(t *testing.T) {
	t.Parallel()
	l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.GRPC, services.Kafka}}, 0)
	defer closeLive(t, l)
	place := func() []lab.Placed {
		t.Helper()
		placed, err := l.Place(t.Context(), services.GRPC)
		if err != nil {
			t.Fatal(err)
		}
		return placed
	}
	before := place()[0]
	link, err := lab.ParseLink(l.Flow(), "orders>inventory:latency=150ms")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetConditions(lab.Conditions{Faults: faults("payment:error=payment_declined"), Links: []links.Link{link}, Relation: services.RelationLink}); err != nil {
		t.Fatal(err)
	}
	meets := place()[0]
	if before.Status != 202 && before.Status != 201 && before.Status != 200 || meets.Error != "payment_declined" || meets.CallerWait < (300*time.Millisecond).Nanoseconds() {
		t.Errorf("before %+v\nthen %+v", before.Order, meets.Order)
	}
	s := rest(t, l)
	if len(s.Fired) != 1 || s.Fired[0] != (lab.FiredCount{Fault: "payment:error=payment_declined", Units: 1, Drawn: 1, Fired: 1}) || s.Forms[0].Accounts.Failed != 1 {
		t.Errorf("fired %+v, accounts %+v", s.Fired, s.Forms[0].Accounts)
	}
	if err := l.SetConditions(lab.Conditions{}); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, "an answer without the link's 300 ms", time.Minute, func(context.Context) error { // a busy machine is slow now and then
		if after := place()[0]; !after.Answered() || after.CallerWait >= (300*time.Millisecond).Nanoseconds() {
			return fmt.Errorf("%+v", after.Order)
		}
		return nil
	})
	if s := rest(t, l); len(s.Conditions.Faults)+len(s.Conditions.Links) > 0 || len(s.Problems) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestLiveRefuses what makes no sense, in words, and changes nothing then.
func TestLiveRefuses(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.GRPC, services.Kafka}, Network: (&virtualNetwork{}).network()}, 0)
		defer closeLive(t, l)
		_, noForm := l.Place(t.Context(), "nope")
		_, twice := l.Place(t.Context(), services.GRPC, services.GRPC)
		toRabbitMQ := links.Link{From: "orders", To: "rabbitmq", Cut: true}
		for want, err := range map[string]error{
			"use one of grpc, kafka":  noForm,
			"is there twice":          twice,
			"from 0.001 to 1000":      l.SetStream(lab.Stream{Rate: 1001, Forms: l.Forms()}),
			"needs a form":            l.SetStream(lab.Stream{Rate: 1}),
			"has no RabbitMQ":         l.SetConditions(lab.Conditions{Links: []links.Link{toRabbitMQ}}),
			"is not the lab's to end": l.Do(context.Background(), lab.Event{Do: "kill", Part: "rabbitmq"}),
		} {
			if _, ok := errors.AsType[*lab.ConfigError](err); !ok || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
		if s := l.Snapshot(); s.Stream.Rate != 0 || len(s.Conditions.Links) > 0 || s.Kept > 0 {
			t.Errorf("something has changed: %+v", s)
		}
	})
}

// TestLiveChanged: a change is told, at most ten times a second, and none while nothing changes.
func TestLiveChanged(t *testing.T) {
	t.Parallel() // in virtual time
	synctest.Test(t, func(t *testing.T) {
		l := openLive(t, lab.Config{Seed: 1, Forms: []services.Form{services.GRPC}, Network: (&virtualNetwork{}).network()}, 0)
		defer closeLive(t, l)
		time.Sleep(time.Minute)
		quiet := l.Changed()
		time.Sleep(time.Minute)
		select {
		case <-quiet:
			t.Error("a change is told, and nothing has happened")
		default:
		}
		if err := l.SetStream(lab.Stream{Rate: 20, Forms: l.Forms()}); err != nil {
			t.Fatal(err)
		}
		told, version := 0, uint64(0)
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); told++ {
			<-l.Changed()
			if s := l.Snapshot(); s.Version <= version {
				t.Fatalf("version %d after %d", s.Version, version)
			} else {
				version = s.Version
			}
		}
		if told < 8 || told > 22 {
			t.Errorf("%d changes are told in 2 s", told)
		}
	})
}
