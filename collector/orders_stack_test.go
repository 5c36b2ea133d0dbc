//go:build stack

package collector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"tracelab/internal/freeport"
	"tracelab/internal/parts"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// system is `tracelab serve all`, on the lab's own broker.
type system struct {
	*parts.Process
	gateway string // URL
}

func startServices(t testing.TB, otlp string) *system {
	t.Helper()
	broker, err := lab.StartBroker(services.TCP())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	ports, err := freeport.InARow(2 * len(flows.Order().Services()))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "all", "--kafka", broker.Addresses()[0], "--otlp", otlp, "--host", "lab", "--allow-faults"}
	for i, name := range flows.Order().Services() {
		args = append(args, "--http", name+"="+ports[2*i], "--grpc", name+"="+ports[2*i+1])
	}
	log := filepath.Join(t.TempDir(), "services.log")
	command := parts.Command{Name: "services", Path: programs.tracelab, Args: args, Log: log}
	gateway := "http://" + ports[0] // the first of the names
	return &system{run(t, command, gateway+"/readyz"), gateway}
}

// place places n orders of each form, one after the other, and waits until each has been completed.
func (s *system) place(t testing.TB, id string, n int) {
	t.Helper()
	for number := range n {
		for _, form := range flows.Order().DefaultForms() {
			s.one(t, id, form, number)
		}
	}
	s.awaitCompleted(t, id, n)
}

func (s *system) awaitCompleted(t testing.TB, id string, n int) {
	t.Helper()
	await(t, "the end of every order", func() error {
		var sums map[services.Form]services.Accounts
		if err := json.Unmarshal([]byte(get(t, s.gateway+"/runs/"+id, "")), &sums); err != nil {
			t.Fatal(err)
		}
		for _, form := range flows.Order().DefaultForms() {
			if a := sums[form]; a.Completed != n || a.Failed != 0 {
				return fmt.Errorf("%s: %+v, want %d completed", form, a, n)
			}
		}
		return nil
	})
}

// one places an order as a client without a library of ours would, with the headers alone, and returns the caller wait.
func (s *system) one(t testing.TB, id string, form services.Form, number int) time.Duration {
	t.Helper()
	body, err := json.Marshal(lab.PlacementOf(flows.Order(), 1, number))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.gateway+"/orders", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("traceparent", fmt.Sprintf("00-%016x%016x-%016x-01", rand.Uint64()|1, rand.Uint64(), rand.Uint64()|1))
	request.Header.Set("baggage", fmt.Sprintf("%s=%s,%s=%s,%s=%d,%s=1,user.secret=%s", services.KeyRun, url.QueryEscape(id), services.KeyForm, form,
		services.KeyNumber, number, services.KeySeed, "hunter2"))
	began := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Errorf("order %d of %s: %v", number, form, err)
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Errorf("order %d of %s: %s: %s: %v", number, form, answer.Status, text, err)
	}
	return time.Since(began)
}

// end stops the services and returns what they said of their spans, and how long the shutdown took. That it says spans were dropped is no
// failure of the test.
func (s *system) end(t testing.TB) (counts telemetry.Counts, took time.Duration) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stopped := s.Stop(ctx)
	took = time.Since(began)
	log := s.LogTail(40)
	m := regexp.MustCompile(`spans: started (\d+) = exported (\d+) \+ dropped (\d+)`).FindStringSubmatch(log)
	if m == nil {
		t.Fatalf("the services do not say what became of their spans (%v):\n%s", stopped, log)
	}
	for i, n := range []*int64{&counts.Started, &counts.Exported, &counts.Dropped} {
		var err error
		if *n, err = strconv.ParseInt(m[i+1], 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if counts.Started != counts.Exported+counts.Dropped || counts.Started == 0 {
		t.Errorf("%+v do not add up", counts)
	}
	if (stopped == nil) != (counts.Dropped == 0) {
		t.Errorf("%d spans dropped, and the services ended with: %v", counts.Dropped, stopped)
	}
	return counts, took
}

// TestOrdersGoOnWithJaegerAway: the Collector keeps the spans, and they arrive when Jaeger is there.
func TestOrdersGoOnWithJaegerAway(t *testing.T) {
	t.Parallel()
	j := newJaeger(t)
	c := startCollector(t, collectorOptions{jaeger: j.otlp})
	s := startServices(t, c.otlp)
	s.place(t, "away", 10)
	counts, _ := s.end(t)
	if counts.Dropped != 0 {
		t.Errorf("%+v: want no drops", counts)
	}
	want := float64(counts.Exported)
	if err := c.hasSums(t, spanSums{accepted: want, queued: want}); err != nil {
		t.Error(err)
	}
	if rss := sum(page(t, c.metrics), "otelcol_process_memory_rss"); rss > 160e6 {
		t.Errorf("the Collector takes %.0f bytes", rss)
	}
	j.start(t)
	await(t, "the spans are in Jaeger", func() error {
		found := j.spans(t, flows.Order().Services())
		for _, span := range found {
			if span.tags["user.secret"] != "" {
				t.Fatalf("a client's baggage became an attribute of %s", span.name)
			}
		}
		if len(found) != int(counts.Exported) {
			return fmt.Errorf("%d spans, want %d", len(found), counts.Exported)
		}
		return nil
	})
}

// TestOrdersGoOnWithTheCollectorGone: a Collector that does not answer costs spans, which are counted, and neither orders nor the services' end.
func TestOrdersGoOnWithTheCollectorGone(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"takes connections, does not answer": silentListener(t),
		"does not take connections":          deafListener(t),
		"refuses connections":                freePort(t),
	} {
		for _, protocol := range []string{"", "http://"} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				s := startServices(t, protocol+address)
				s.place(t, "gone", 5)
				counts, took := s.end(t)
				if counts.Exported != 0 {
					t.Errorf("%+v: nobody can have taken spans", counts)
				}
				if took > 5*time.Second {
					t.Errorf("the shutdown took %v, want 5s at the most", took)
				}
				t.Logf("%+v, shutdown in %v", counts, took)
			})
		}
	}
}
