package doctor_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tracelab/doctor"
	"tracelab/internal/vocabulary"
)

// becoming is a server that is healthy from the n-th question on.
func becoming(t *testing.T, n int64, before http.HandlerFunc) string {
	t.Helper()
	var asked atomic.Int64
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < n {
			before(w, r)
			return
		}
		write(w, `{"status":"fine"}`)
	}))
}

func unavailable(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, http.StatusServiceUnavailable) }
}

func TestWaitTellsEachPartAsItComes(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	config := l.config
	config.Collector, config.JaegerHealth = becoming(t, 6, unavailable("not yet")), becoming(t, 3, unavailable("not yet"))
	config.Grafana = ""
	var came []string
	config.Each = func(c doctor.Check) { came = append(came, c.Name) }
	report, err := doctor.Wait(t.Context(), config)
	if err != nil || report.FirstBroken != nil {
		t.Fatalf("%v\n%s", err, lines(report))
	}
	var names []string
	for _, c := range report.Checks {
		names = append(names, c.Name)
		switch {
		case c.Name == "grafana" && (c.Status != doctor.Skipped || !strings.Contains(c.Seen, "no address: name one with --grafana")):
			t.Errorf("without an address: %+v", c)
		case c.Name != "grafana" && (c.Status != doctor.OK || c.TookMS <= 0):
			t.Errorf("%+v", c)
		}
	}
	want := slices.DeleteFunc(doctor.Parts(), func(part string) bool { return part == "rabbitmq" }) // it has no address, as in most labs
	if !slices.Equal(names, want) {
		t.Errorf("the report has %q, want %q", names, want)
	}
	if slices.Index(came, "jaeger") > slices.Index(came, "collector") || came[len(came)-1] != "collector" {
		t.Errorf("told in the order %q; the collector came last, and jaeger before it", came)
	}
}

// TestWaitNamesWhatDidNotCome has each part unwell in a way of its own: all are named, each with what was seen of it last.
func TestWaitNamesWhatDidNotCome(t *testing.T) {
	t.Parallel() // most of it is waiting
	page := func(w http.ResponseWriter, _ *http.Request) { write(w, "<!doctype html><title>Sign in</title>") }
	waiting := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"service":"gateway","status":"not ready","waiting_for":["payment","shipping"]}`, http.StatusServiceUnavailable)
	}
	never := int64(1 << 40)
	config := doctor.Config{
		Kafka: []string{blackHole(t)}, Collector: becoming(t, never, unavailable("StatusStarting")), JaegerHealth: becoming(t, never, page),
		Prometheus: "http://" + blackHole(t), Grafana: "http://" + nobody(t), Pyroscope: "http://no-such-host.invalid:4040",
		Gateway: becoming(t, never, waiting), Timeout: 4500 * time.Millisecond, Logger: discard,
	}
	began := time.Now()
	report, err := doctor.Wait(t.Context(), config)
	if err != nil || report.FirstBroken == nil || *report.FirstBroken != "kafka" {
		t.Fatalf("%v\n%s", err, lines(report))
	}
	if took := time.Since(began); took < config.Timeout || took > config.Timeout+3*time.Second {
		t.Errorf("it took %v, want the timeout of %v", took, config.Timeout)
	}
	want := map[string]string{
		"kafka": "never answers", "collector": "503 Service Unavailable: StatusStarting", "jaeger": "an HTML page", "prometheus": "no answer in time",
		"grafana": "connection refused: nobody listens there", "pyroscope": "no-such-host.invalid", "services": "the gateway waits for payment, shipping",
	}
	for _, c := range report.Checks {
		if c.Status != doctor.Failed || !strings.Contains(c.Seen, want[c.Name]) || c.Fix == "" {
			t.Errorf("%+v, want %q seen", c, want[c.Name])
		}
	}
	if len(report.Checks) != len(want) {
		t.Errorf("%d parts", len(report.Checks))
	}
}

// TestWaitTellsTheLastAnswer has a part that answers once and then hangs until the time is over: that the last question was cut
// off says nothing of the part.
func TestWaitTellsTheLastAnswer(t *testing.T) {
	t.Parallel() // most of it is waiting
	asked := make(chan struct{}, 1)
	hanging := func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
			http.Error(w, "starting", http.StatusServiceUnavailable)
		default:
			<-r.Context().Done()
		}
	}
	report, err := doctor.Wait(t.Context(), doctor.Config{Grafana: becoming(t, 1<<40, hanging), Timeout: 2 * time.Second}, "grafana")
	if err != nil || len(report.Checks) != 1 || !strings.Contains(report.Checks[0].Seen, "503 Service Unavailable: starting") {
		t.Errorf("%v\n%s", err, lines(report))
	}
}

func TestWaitForSomePartsOnly(t *testing.T) {
	t.Parallel() // most of it is waiting
	config := doctor.Config{Grafana: becoming(t, 1, nil), Collector: "http://" + nobody(t), Timeout: 10 * time.Second}
	report, err := doctor.Wait(t.Context(), config, "grafana")
	if err != nil || report.FirstBroken != nil || len(report.Checks) != 1 || report.Checks[0].Name != "grafana" {
		t.Errorf("%v\n%s", err, lines(report))
	}
	if _, err := doctor.Wait(t.Context(), config, "grafena"); !isUnknown(err) {
		t.Errorf("a word that is no part: %v", err)
	}
	if _, err := doctor.Wait(t.Context(), config, "pyroscope"); err == nil || !strings.Contains(err.Error(), "name one with --pyroscope") {
		t.Errorf("a part without an address: %v", err)
	}
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*vocabulary.UnknownError](err)
	return ok
}
