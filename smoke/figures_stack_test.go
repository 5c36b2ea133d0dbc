//go:build stack && (linux || darwin)

package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tracelab/dashboards"
	"tracelab/internal/poll"
)

// await asks until nothing is wrong any more: what was counted is exported, scraped and evaluated every five seconds each.
func await(t *testing.T, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := poll.Until(ctx, time.Second, func(context.Context) error { return ask() }); err != nil {
		t.Error(err)
	}
}

// figures asks for what a panel shows.
type figures struct {
	*system
	expressions []dashboards.Expression
	began       time.Time // of the runs that the panels' time range holds
}

// panel returns the expression of a panel's query A over the time since the runs began. A window of a graph is as long as that, too, so
// that one point of it counts all.
func (f figures) panel(t *testing.T, file, title string) string {
	t.Helper()
	place := fmt.Sprintf("panel %q query A", title)
	for _, e := range f.expressions {
		if e.File != "dashboards/"+file || e.Place != place {
			continue
		}
		window := time.Since(f.began).Milliseconds()
		expr := strings.NewReplacer("[20s]", fmt.Sprintf("[%dms]", window), "offset 20s", fmt.Sprintf("offset %dms", window),
			"[3600s]", fmt.Sprintf("[%dms]", window), "offset 3600s", fmt.Sprintf("offset %dms", window),
			"* 1000 / 20000", "* 1").Replace(e.Expr)
		if expr == e.Expr {
			t.Fatalf("%s: no window that can be set", e)
		}
		return expr
	}
	t.Fatalf("%s has no panel %q", file, title)
	return ""
}

// shows awaits that a panel shows these values by one label, and no other value above 0.
func (f figures) shows(t *testing.T, file, title, label string, want map[string]float64) {
	t.Helper()
	await(t, func() error {
		got, err := f.values(t.Context(), f.panel(t, file, title), label)
		if err != nil {
			return err
		}
		for name := range want {
			if math.Abs(got[name]-want[name]) > 1e-9 {
				return fmt.Errorf("%s, %s: %v, want %v", file, title, got, want)
			}
		}
		for name := range got {
			if _, ok := want[name]; !ok && got[name] > 0 {
				return fmt.Errorf("%s, %s: %v, want %v", file, title, got, want)
			}
		}
		return nil
	})
}

// values returns an expression's values by a label, added up; label "" adds all.
func (s *system) values(ctx context.Context, expr, label string) (map[string]float64, error) {
	all, err := s.samples(ctx, expr)
	found := map[string]float64{}
	for _, r := range all {
		found[r.labels[label]] += r.value
	}
	return found, err
}

// sample is one series of an answer.
type sample struct {
	labels map[string]string
	value  float64
}

// samples returns what an expression finds now.
func (s *system) samples(ctx context.Context, expr string) ([]sample, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := s.get(ctx, s.Addresses["TRACELAB_PROMETHEUS"]+"/api/v1/query?query="+url.QueryEscape(expr), &answer); err != nil {
		return nil, err
	}
	found := make([]sample, len(answer.Data.Result))
	for i, r := range answer.Data.Result {
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		found[i] = sample{r.Metric, value}
	}
	return found, nil
}

// TestFiguresOnPanels places orders that fail and finds them, with the right number, on every panel that claims to show them. The first
// is the first order of the stack's life, which makes the series that count it.
func TestFiguresOnPanels(t *testing.T) {
	began := time.Now()
	s := startStack(t)
	expressions, err := dashboards.Expressions(s.root)
	if err != nil {
		t.Fatal(err)
	}
	f := figures{s, expressions, began}
	t.Run("one order that failed", func(t *testing.T) {
		r := s.run(t.Context(), t, "--orders", "1", "--warm-up", "0", "--forms", "kafka", "--fault", "payment:error=payment_declined")
		f.report(t, r)
	})
	t.Run("the services say which commit they are of", f.haveVersions)
	t.Run("every form and status is there from the start", f.haveAllStatuses)
	t.Run("orders that fail in every form", func(t *testing.T) {
		f.began = time.Now() // what was before is not in the panels' time range
		r := s.run(t.Context(), t, "--orders", "20", "--warm-up", "0", "--rate", "20", "--fault", "payment:error=payment_declined@0.5")
		f.report(t, r)
	})
}

// report compares the panels with a run's report.
func (f figures) report(t *testing.T, r report) {
	t.Helper()
	var placed, failed, spans float64
	completed, share, byForm := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for form, of := range r.Forms {
		n, bad := float64(of.Orders["placed"]), float64(of.Orders["failed"])
		placed, failed, spans = placed+n, failed+bad, spans+float64(of.Spans)
		completed[form], share[form] = n-bad, bad/n
		byForm[form] = float64(of.Spans) / n
		if of.Orders["accepted"] != of.Orders["placed"] || of.Journeys != of.Orders["placed"] || of.Orders["completed"]+of.Orders["failed"] != of.Orders["placed"] {
			t.Errorf("%s: the report does not know what became of every order: %+v", form, of)
		}
	}
	if failed == 0 || placed == 0 {
		t.Fatalf("%v of %v orders failed: there is nothing to find", failed, placed)
	}
	f.shows(t, "errors.json", "Orders failed", "", map[string]float64{"": failed})
	f.shows(t, "errors.json", "Orders refused", "", map[string]float64{"": 0})
	f.shows(t, "errors.json", "Orders by how they ended", "tracelab_order_status", map[string]float64{"failed": failed, "completed": placed - failed})
	f.shows(t, "errors.json", "Share of failed orders by form", "tracelab_form", share)
	f.shows(t, "errors.json", "Failures by reason", "error_type", map[string]float64{"payment_declined": failed})
	f.shows(t, "forms.json", "Completed orders", "tracelab_form", completed)
	f.shows(t, "forms.json", "Spans for an order", "tracelab_form", byForm)
	f.shows(t, "latency.json", "Answers", "", map[string]float64{"": placed})
	f.received(t, spans)
}

// received awaits that what came to Jaeger, by its own count and the services', is what the collector took, and is at least what the report read.
func (f figures) received(t *testing.T, reported float64) {
	t.Helper()
	await(t, func() error {
		started, err := f.values(t.Context(), f.panel(t, "telemetry.json", "Spans started"), "")
		stored, err2 := f.values(t.Context(), f.panel(t, "telemetry.json", "Taken by Jaeger"), "")
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if started[""] != stored[""] || stored[""] < reported {
			return fmt.Errorf("%v spans started, Jaeger took %v, the report has %v", started, stored, reported)
		}
		t.Logf("%v spans started and taken by Jaeger, %v of them of the report's orders", stored[""], reported)
		return nil
	})
}

// haveVersions: a service that was built here names the commit, or says that it does not know one, and is never (devel).
func (f figures) haveVersions(t *testing.T) {
	await(t, func() error {
		all, err := f.samples(t.Context(), `target_info{job!~"collector|jaeger|prometheus"}`)
		if err != nil {
			return err
		}
		if len(all) < 7 {
			return fmt.Errorf("%d services have told of themselves, want 7", len(all))
		}
		for _, s := range all {
			if !commit.MatchString(s.labels["service_version"]) {
				return fmt.Errorf("%s is of version %q, want a commit", s.labels["job"], s.labels["service_version"])
			}
		}
		return nil
	})
}

var commit = regexp.MustCompile(`^[0-9a-f]{7,40}`)

// haveAllStatuses: orders of one form have been placed; the others stand at 0.
func (f figures) haveAllStatuses(t *testing.T) {
	await(t, func() error {
		all, err := f.samples(t.Context(), `sum by (tracelab_form, tracelab_order_status) (tracelab_orders_total{service_name="orders"})`)
		if err != nil {
			return err
		}
		for _, form := range []string{"rest", "grpc", "kafka", "hybrid"} {
			for _, status := range []string{"accepted", "refused", "completed", "failed"} {
				if !slices.ContainsFunc(all, func(s sample) bool {
					return s.labels["tracelab_form"] == form && s.labels["tracelab_order_status"] == status
				}) {
					return fmt.Errorf("no series of %s orders that are %s", form, status)
				}
			}
		}
		return nil
	})
}
