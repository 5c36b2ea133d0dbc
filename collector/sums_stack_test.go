//go:build stack

package collector_test

import (
	"fmt"
	"testing"
	"time"

	"tracelab/internal/telemetry"
)

// TestSpansAddUp: the SDK's accounts, the Collector's, and what Jaeger has.
func TestSpansAddUp(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(*collector) string{
		"gRPC": func(c *collector) string { return c.otlp },
		"HTTP": func(c *collector) string { return "http://" + c.otlpHTTP },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := startJaeger(t)
			c := startCollector(t, collectorOptions{jaeger: j.otlp})
			s := newSender(t, address(c), telemetry.QueueConfig{})
			s.journeys(1500)
			counts := s.finish(t)
			if counts.Dropped != 0 {
				t.Errorf("%+v: want no drops", counts)
			}
			want := float64(counts.Exported)
			await(t, "the queue is empty", func() error { return c.hasSums(t, spanSums{accepted: want, sent: want}) })
			if duplicates := s.awaitArrival(t, j); duplicates != 0 {
				t.Errorf("%d spans are in Jaeger more than once, want each once", duplicates)
			}
		})
	}
}

// hasSums compares the Collector's accounts with what they should be, and among themselves.
func (c *collector) hasSums(t testing.TB, want spanSums) error {
	t.Helper()
	got := c.sums(t)
	if got != want {
		return fmt.Errorf("the Collector's accounts are %+v, want %+v", got, want)
	}
	if got.accepted != got.sent+got.failed+got.queued {
		return fmt.Errorf("%+v: accepted is not sent + failed + queued", got)
	}
	return nil
}

// killedWithJaegerAway sends spans to a Collector without a Jaeger, kills it, starts it again, and then starts Jaeger.
func killedWithJaegerAway(t testing.TB, configs ...string) (s *sender, j *jaeger, restarted spanSums) {
	t.Helper()
	j = newJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp, configs: configs})
	s = newSender(t, c.otlp, telemetry.QueueConfig{})
	s.journeys(1000)
	counts := s.finish(t)
	if counts.Exported != 4000 {
		t.Fatalf("%+v: want all 4000 taken by the Collector", counts)
	}
	want := float64(counts.Exported)
	if err := c.hasSums(t, spanSums{accepted: want, queued: want}); err != nil {
		t.Error(err)
	}
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	c.start(t)
	restarted = c.sums(t)
	j.start(t)
	return s, j, restarted
}

func TestNothingIsLostWhenTheCollectorIsKilledWithJaegerAway(t *testing.T) {
	t.Parallel()
	s, j, restarted := killedWithJaegerAway(t)
	if restarted.queued != 4000 {
		t.Errorf("%.0f spans in the queue after the kill, want 4000", restarted.queued)
	}
	if duplicates := s.awaitArrival(t, j); duplicates != 0 {
		t.Errorf("%d spans are in Jaeger more than once; no export had begun to succeed", duplicates)
	}
}

// TestAQueueInMemoryLosesThem is the same without the disk: it shows that the test above can fail.
func TestAQueueInMemoryLosesThem(t *testing.T) {
	t.Parallel()
	_, _, restarted := killedWithJaegerAway(t, "yaml:exporters::otlp_grpc/jaeger::sending_queue::storage: null")
	if restarted != (spanSums{}) {
		t.Errorf("%+v after the kill: a queue in memory cannot keep spans", restarted)
	}
}

// TestNothingIsLostWhenTheCollectorIsKilledAtWork kills it several times while spans go through. A span that the sender counts as exported is in
// Jaeger, once or more often: what was being sent is sent again. A dropped one may be there, too, when only the answer was lost.
func TestNothingIsLostWhenTheCollectorIsKilledAtWork(t *testing.T) {
	t.Parallel()
	j := startJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	s := newSender(t, c.otlp, telemetry.QueueConfig{Batch: 64, Interval: 5 * time.Millisecond})
	for range 3 {
		before := s.queue.Counts().Exported
		await(t, "spans go through", func() error {
			s.journeys(10)
			if now := s.queue.Counts().Exported; now < before+200 {
				return fmt.Errorf("%d exported, %d before", now, before)
			}
			return nil
		})
		if err := c.Kill(); err != nil {
			t.Fatal(err)
		}
		s.journeys(10) // to nobody, for now
		c.start(t)
	}
	counts := s.finish(t)
	duplicates := s.awaitArrival(t, j)
	t.Logf("three kills: %+v, %d duplicates in Jaeger", counts, duplicates)
}
