//go:build stack && (linux || darwin)

package smoke_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/dashboards"
	"tracelab/internal/parts"
	"tracelab/internal/poll"
	"tracelab/internal/promapi"
	"tracelab/internal/stack"
	"tracelab/internal/testkit"
)

// system is the running stack and the program that its services run.
type system struct {
	stack.State
	root, program string
}

// startStack starts everything on free ports, and stops it at the end of the test.
func startStack(t *testing.T) *system {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	options := stack.Options{Root: root, State: t.TempDir(), FreePorts: true, Progress: &progress}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := stack.Stop(ctx, options); err != nil {
			t.Error(err)
		}
	})
	state, err := stack.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	return &system{State: state, root: root, program: filepath.Join(options.State, "bin", "tracelab")}
}

// command runs a command of tracelab with the stack's addresses, and returns its exit status and what it printed. Standard error goes to the test's log
// when the status is not 0.
func (s *system) command(ctx context.Context, t *testing.T, args ...string) (status int, out []byte) {
	t.Helper()
	command := exec.CommandContext(ctx, s.program, args...)
	for name, value := range s.Addresses {
		command.Env = append(command.Environ(), name+"="+value)
	}
	// A client that is killed has told of spans that it began, and never tells what became of them.
	command.Cancel, command.WaitDelay = func() error { return command.Process.Signal(os.Interrupt) }, 20*time.Second
	var stderr bytes.Buffer
	command.Dir, command.Stderr = t.TempDir(), &stderr
	out, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && ctx.Err() == nil { // one that was interrupted may end well all the same
		t.Errorf("%q: %v", args, err)
	}
	if status = command.ProcessState.ExitCode(); status != 0 && ctx.Err() == nil {
		t.Logf("%q: exit status %d: %s", args, status, stderr.String())
	}
	return status, out
}

// report is what these tests read of a run's report.
type report struct {
	Forms map[string]struct {
		Orders     map[string]int
		Journeys   int
		Incomplete int
		Spans      int // of the orders, without those of the warm-up
	}
	Problems []string
	Jaeger   struct {
		Medians    map[string]string `json:"median_trace_urls"`
		Comparison struct{ URL string }
	}
}

func (s *system) run(ctx context.Context, t *testing.T, args ...string) report {
	t.Helper()
	_, out := s.command(ctx, t, append([]string{"run", "--format", "json"}, args...)...)
	var r report
	if err := json.Unmarshal(out, &r); err != nil && ctx.Err() == nil {
		t.Errorf("%v in %s", err, out)
	}
	return r
}

// TestTheStack uses the stack as a person would, first in good health, then with orders that fail.
func TestTheStack(t *testing.T) {
	s := startStack(t)
	began := time.Now()
	s.growUnseen(t, "hamper")
	t.Run("a run is judged through Jaeger", s.aRunIsJudged)
	t.Run("doctor finds all well", s.doctorFindsAllWell)
	t.Run("RabbitMQ is seen", s.rabbitMQIsSeen)
	t.Run("an own flow fills every variable", s.anOwnFlowFillsEveryVariable)
	expressions, err := dashboards.Expressions(s.root)
	if err != nil {
		t.Fatal(err)
	}
	expressions = slices.DeleteFunc(expressions, func(e dashboards.Expression) bool { return e.After == dashboards.AfterWatch }) // none runs here
	t.Run("queue depths are seen", func(t *testing.T) { s.queueDepthsAreSeen(t, expressions) })
	t.Run("every expression finds series", func(t *testing.T) { s.everyExpressionFindsSeries(t, expressions) })
	t.Run("exemplars lead to Jaeger", func(t *testing.T) { s.exemplarsLeadToJaeger(t, began, expressions) })
	t.Run("no span is unaccounted for", s.noSpanIsUnaccountedFor)
	t.Run("a queue without a consumer is an alert", func(t *testing.T) { s.aQueueWithoutConsumerIsAnAlert(t, "hamper") })
	t.Run("every panel is drawn", s.everyPanelIsDrawn)
}

func (s *system) aRunIsJudged(t *testing.T) {
	const orders = 10
	r := s.run(t.Context(), t, "--orders", "10", "--rate", "40")
	if len(r.Problems) > 0 || len(r.Forms) != 4 {
		t.Errorf("%d forms, problems %q", len(r.Forms), r.Problems)
	}
	for form, f := range r.Forms {
		if f.Orders["completed"] != orders || f.Journeys != orders || f.Incomplete != 0 {
			t.Errorf("%s: %+v", form, f)
		}
	}
	pages := []string{r.Jaeger.Comparison.URL}
	for _, form := range []string{"rest", "grpc", "kafka", "hybrid"} {
		pages = append(pages, r.Jaeger.Medians[form])
	}
	for _, page := range pages { // the pages themselves are not in the Jaeger that is built here
		_, path, ok := strings.Cut(page, "/trace/")
		path, _, _ = strings.Cut(path, "?")
		ids := strings.Split(path, "...")
		if !ok || !strings.HasPrefix(page, s.Addresses["TRACELAB_JAEGER"]) {
			t.Errorf("%q is no address of a trace", page)
		}
		for _, id := range ids {
			if err := s.hasTrace(t.Context(), id); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

func (s *system) doctorFindsAllWell(t *testing.T) {
	if status, out := s.command(t.Context(), t, "doctor", "--kafka", s.Addresses["KAFKA_ADDR"], "--rabbitmq", s.Addresses["RABBITMQ_ADDR"]); status != 0 {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

// everyExpressionFindsSeries lets orders fail until every expression of every dashboard and alert has found a series, those for orders
// that fail and for alerts that fire included. What shows a collector that loses spans, or that samples, has nothing to find here.
func (s *system) everyExpressionFindsSeries(t *testing.T, expressions []dashboards.Expression) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	load, stop := context.WithCancel(ctx)
	failing := func() {
		s.run(ctx, t, "--orders", "25", "--rate", "25", "--fault", "payment:error=payment_declined@0.5", "--fault", "orders:error=full@0.3")
	}
	failing() // the panels of the flow order show it, whatever has found its series before
	done := make(chan struct{})
	go func() {
		defer close(done)
		for load.Err() == nil { // the last runs come to their end: one that is killed leaves exemplars whose spans it had not sent
			s.runOwnFlow(ctx, t)
			failing()
		}
	}()
	defer func() { stop(); <-done }()
	left := slices.DeleteFunc(slices.Clone(expressions), func(e dashboards.Expression) bool {
		return e.After == dashboards.AfterOutage || e.After == dashboards.AfterSampling
	})
	if len(left) < len(expressions)-4 || len(left) < 100 {
		t.Errorf("only %d of %d expressions are looked at", len(left), len(expressions))
	}
	err := poll.Until(ctx, 2*time.Second, func(ctx context.Context) error {
		var wrong []error
		left = slices.DeleteFunc(left, func(e dashboards.Expression) bool {
			found := dashboards.Check(ctx, s.Addresses["TRACELAB_PROMETHEUS"], []dashboards.Expression{e})
			wrong = append(wrong, found...)
			return len(found) == 0
		})
		return errors.Join(wrong...)
	})
	if err != nil {
		t.Fatalf("%d of %d expressions: %v", len(left), len(expressions), err)
	}
}

// exemplarsLeadToJaeger wants exemplars in every panel that shows some, and looks up those of the last ten seconds: Jaeger keeps the newest
// traces alone.
func (s *system) exemplarsLeadToJaeger(t *testing.T, began time.Time, expressions []dashboards.Expression) {
	recent := time.Now().Add(-10 * time.Second)
	_, wrong := dashboards.CheckExemplars(t.Context(), s.Addresses["TRACELAB_PROMETHEUS"], began, expressions)
	for _, err := range wrong {
		t.Error(err)
	}
	testkit.Await(t, "exemplars in Jaeger", time.Minute, func(context.Context) error { // they are on their way, and so are their traces
		exemplars, _ := dashboards.CheckExemplars(t.Context(), s.Addresses["TRACELAB_PROMETHEUS"], recent, expressions)
		if len(exemplars) == 0 {
			return errors.New("no exemplar of the last ten seconds of load has come")
		}
		for _, e := range exemplars {
			if err := s.hasTrace(t.Context(), e.TraceID); err != nil {
				return fmt.Errorf("one of %d exemplars leads nowhere: %w; it is %+v", len(exemplars), err, e)
			}
		}
		t.Logf("%d exemplars, each of them in Jaeger", len(exemplars))
		return nil
	})
}

// noSpanIsUnaccountedFor compares sums, by what each part says of itself, once no order is under way.
func (s *system) noSpanIsUnaccountedFor(t *testing.T) {
	for name, sum := range map[string]struct{ whole, parts string }{
		"SDK: started = exported + dropped": {
			`sum(otel_sdk_span_started_total)`,
			`sum(otel_sdk_exporter_span_exported_total) + (sum(otel_sdk_processor_span_processed_total{error_type!=""}) or vector(0))`,
		},
		"collector: accepted = sent + failed + queued": {
			`sum(otelcol_receiver_accepted_spans{job="collector"})`,
			`sum(otelcol_exporter_sent_spans{job="collector"}) + (sum(otelcol_exporter_send_failed_spans{job="collector"}) or vector(0)) + sum(otelcol_exporter_queue_size{job="collector", data_type="traces"})`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Await(t, name, time.Minute, func(context.Context) error {
				whole, err := s.value(t.Context(), sum.whole)
				parts, err2 := s.value(t.Context(), sum.parts)
				if err := errors.Join(err, err2); err != nil {
					return err
				}
				if whole != parts || whole == 0 {
					return fmt.Errorf("%s: %v and %v", name, whole, parts)
				}
				t.Logf("%v = %v", whole, parts)
				return nil
			})
		})
	}
}

// value is the one value that an expression has now.
func (s *system) value(ctx context.Context, expr string) (float64, error) {
	samples, err := promapi.Client{URL: s.Addresses["TRACELAB_PROMETHEUS"]}.Query(ctx, expr)
	if err != nil {
		return 0, err
	}
	if len(samples) != 1 {
		return 0, fmt.Errorf("%s has %d values, want 1", expr, len(samples))
	}
	return samples[0].Value, nil
}

// hasTrace asks Jaeger.
func (s *system) hasTrace(ctx context.Context, id string) error {
	return s.get(ctx, s.Addresses["TRACELAB_JAEGER"]+"/api/v3/traces/"+id, &struct{}{})
}

func (s *system) get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
