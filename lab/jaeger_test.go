package lab_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/services"
)

// runJaeger runs against a target whose spans are in a Jaeger, and sends the client's there unless told otherwise.
func runJaeger(t *testing.T, to target, address, spans string, change func(*lab.Config)) *lab.Result {
	t.Helper()
	config := lab.Config{OneRate: true, Orders: 3, Seed: 1, Timeout: patience, Deadline: patience, Target: to.url, Jaeger: address, OTLP: destination(t, spans), Out: t.TempDir(), Version: "test"}
	change(&config)
	result, err := lab.Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	return result
}

func asIs(*lab.Config) {}

// Jaeger has other spans too, among them the client's own and those of the warm-up: whichever way it is asked, the
// journeys are those of a run in process, and each span is there once.
func TestJaegerGivesTheSameStructures(t *testing.T) {
	t.Parallel() // most of it is waiting
	inProcess := quickly(t, func(c *lab.Config) { c.Orders = 3 })
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := startJaegerServer(t, d)
			to := startTarget(t, s.otlp, unchanged)
			s.crowd(t, 400, time.Now(), 5*time.Millisecond)
			result := runJaeger(t, to, s.URL+"/", s.otlp, func(c *lab.Config) { c.WarmUp, c.Windows = 1, 1 })
			// The warm-up is sent, too.
			if len(result.Problems) > 0 || result.Sent != (3+1)*4 {
				t.Errorf("%d of the client's spans sent, problems %q", result.Sent, result.Problems)
			}
			fetched := result.Fetched + 3*4 // the client's are here already
			for _, f := range result.Forms {
				fetched -= f.SpanCount
			}
			if fetched != 0 {
				t.Errorf("%d spans fetched: %d more than the services' in the forms", result.Fetched, fetched)
			}
			if diff := cmp.Diff(structures(t, inProcess, ""), structures(t, result, "")); diff != "" {
				t.Errorf("-in process +from Jaeger:\n%s", diff)
			}
			for form, f := range result.Forms {
				if want := inProcess.Forms[form].SpanCount; f.SpanCount != want {
					t.Errorf("%s: %d spans, want %d", form, f.SpanCount, want)
				}
			}
			if result.Shared != 0 {
				t.Errorf("%d shared spans: those of polls and commits are not to be fetched", result.Shared)
			}
		})
	}
}

// With more traces in the period than one answer brings, every span of the run is still found.
func TestJaegerIsAskedInHalves(t *testing.T) {
	testkit.Unraced(t, "TestJaegerIsFollowed")
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 2000, time.Now(), time.Millisecond)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if len(result.Problems) > 0 || len(result.Warnings) > 0 && strings.Contains(strings.Join(result.Warnings, " "), "Jaeger") {
		t.Errorf("problems %q, warnings %q", result.Problems, result.Warnings)
	}
	if asked := s.questions.Load(); asked < 2*2*3 { // each in both dialects
		t.Errorf("%d questions: the period was not halved", asked)
	}
}

// TestJaegerIsFollowed: a long run asks Jaeger as it goes, so it does not depend on how many traces Jaeger keeps. The run is long enough when
// Jaeger has forgotten a trace, and knows of more than then.
func TestJaegerIsFollowed(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[1])
	s.forgets.Store(true) // by what was asked, not by time or number: a busy machine falls behind
	to := startTarget(t, s.otlp, unchanged)
	enough := make(chan struct{})
	var end sync.Once
	result := runJaeger(t, to, s.URL, s.otlp, func(c *lab.Config) {
		// So slow that a machine under load, too, reads what came between two questions.
		c.Forms, c.Orders, c.Rate, c.EndEarly = []services.Form{services.Kafka}, 100, 2, enough
		c.Progress = func(lab.Progress) {
			if first := s.forgot(); first > 0 && len(spansOf(s.everything(t))) > first {
				end.Do(func() { close(enough) })
			}
		}
	})
	if f := result.Forms[services.Kafka]; f.Journeys != f.Orders.Placed || f.Journeys < 4 || len(result.Problems) > 0 {
		t.Errorf("%d of %d journeys are complete; problems %q", f.Journeys, f.Orders.Placed, result.Problems)
	}
	if s.forgot() == 0 {
		t.Error("it was not asked on the way: it has forgotten nothing")
	}
}

// TestJaegerFailsWhenAllIsThere: what a round could not ask for any more is no problem of a run whose journeys are all complete.
func TestJaegerFailsWhenAllIsThere(t *testing.T) {
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 600, time.Now().Add(5*time.Second), time.Millisecond) // so that the period is halved, and a later half has none of the run
	s.deaf.Store(true)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if len(result.Problems) > 0 || result.Jaeger == nil {
		t.Errorf("problems %q, links %v", result.Problems, result.Jaeger)
	}
}

func TestJaegerTooCrowded(t *testing.T) {
	testkit.Unraced(t, "TestJaegerIsFollowed")
	t.Parallel()
	s := startJaegerServer(t, dialects[0])
	to := startTarget(t, s.otlp, unchanged)
	s.crowd(t, 600, time.Now(), 0)
	result := runJaeger(t, to, s.URL, s.otlp, asIs)
	if text := strings.Join(result.Warnings, "\n"); !strings.Contains(text, "Jaeger has more than 500 traces that begin within 1ms") {
		t.Errorf("warnings %s", text)
	}
}
