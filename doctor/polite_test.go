package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/doctor"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// namesOnKafka lists the topics and groups of a lab's Kafka.
func namesOnKafka(t *testing.T, l *testLab) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups, err := kadm.NewClient(client).ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(topics.Names(), groups.Groups())
}

// TestNothingIsLeftBehind holds that the doctor makes no topic and no group, that each of its traces is whole, with a root
// of its own, and that all belong to a run that no other can be.
func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	before := namesOnKafka(t, l)
	for _, prefix := range []string{"", "other."} { // the second finds no topic of its prefix
		config := l.config
		config.Prefix = prefix
		report := examine(t, config)
		if broken := report.FirstBroken != nil; broken != (prefix != "") {
			t.Errorf("prefix %q:\n%s", prefix, lines(report))
		}
	}
	if after := namesOnKafka(t, l); !slices.Equal(before, after) {
		t.Errorf("on Kafka before %q, after %q", before, after)
	}
	await(t, func() string { return unwhole(t, l) })
}

// unwhole names a trace of the doctor's that has no root, or an order of no doctor's run; "" when there is none.
func unwhole(t *testing.T, l *testLab) string {
	roots := 0
	for id, list := range spans(t, l.collector) {
		ours, root := false, false
		for _, x := range list {
			run, ok := x.span.Attributes().Get(services.KeyRun)
			if ok && !strings.HasPrefix(run.Str(), "doctor-") {
				return "a span of run " + run.Str()
			}
			ours = ours || ok
			root = root || x.service == "doctor" && x.span.ParentSpanID().IsEmpty()
		}
		if ours && !root {
			return "trace " + id + " has no root"
		}
		if root {
			roots++
		}
	}
	// Two lone spans, and an order of each form, the first time; the second time Kafka is not tried.
	if want := 5 + 4; roots != want {
		return "traces with a root: " + strings.Repeat("|", roots)
	}
	return ""
}

// TestOrdersAreNotTracedWhenNobodyTakesTheirRoot has an endpoint that takes no span: the orders are placed all the same,
// to see whether they pass, and no service makes a span for them.
func TestOrdersAreNotTracedWhenNobodyTakesTheirRoot(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	config := l.config
	config.OTLP = []string{nobody(t)}
	report := examine(t, config)
	status := map[string]doctor.Status{}
	for _, c := range report.Checks {
		status[c.Name] = c.Status
	}
	if *report.FirstBroken != "otlp" || status["order-rest"] != doctor.OK || status["order-kafka"] != doctor.OK || status["trace-rest"] != doctor.Skipped {
		t.Errorf("%v", status)
	}
	// A traced order comes last: once its trace is whole, spans that were made before it have come, too.
	mark := markerTrace(t, l)
	for id, list := range spans(t, l.collector) {
		for _, x := range list {
			if _, ok := x.span.Attributes().Get(services.KeyRun); ok && id != mark {
				t.Errorf("trace %s: a span %s of %s", id, x.span.Name(), x.service)
			}
		}
	}
}

// markerTrace places a traced order by calls, waits until a span of every service has come, and returns its trace id.
func markerTrace(t *testing.T, l *testLab) string {
	t.Helper()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.config.Gateway+"/orders", strings.NewReader(`{"customer":"c","sku":"cup","quantity":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	req.Header.Set("baggage", services.KeyForm+"=rest")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	await(t, func() string {
		came := map[string]bool{}
		for _, x := range spans(t, l.collector)[trace] {
			came[x.service] = true
		}
		if len(came) < len(flows.Order().Services()) {
			return fmt.Sprintf("spans of %d services have come", len(came))
		}
		return ""
	})
	return trace
}

// TestTimeIsBounded gives a doctor little time for a lab of black holes.
func TestTimeIsBounded(t *testing.T) {
	t.Parallel() // most of it is waiting
	hole := blackHole(t)
	config := doctor.Config{Gateway: "http://" + hole, Kafka: []string{hole}, OTLP: []string{hole, "http://" + hole}, Collector: "http://" + hole,
		CollectorMetrics: "http://" + hole, Jaeger: "http://" + hole, Prometheus: "http://" + hole, Grafana: "http://" + hole, Pyroscope: "http://" + hole,
		Timeout: 2 * time.Second, Logger: discard}
	began := time.Now()
	report := examine(t, config)
	if took := time.Since(began); took > config.Timeout+2*time.Second {
		t.Errorf("it took %v", took)
	}
	if report.FirstBroken == nil || *report.FirstBroken != "kafka" {
		t.Errorf("\n%s", lines(report))
	}
	for _, c := range report.Checks {
		if c.Status == doctor.OK {
			t.Errorf("%+v", c)
		}
	}
}

// TestPartsWithoutAnAddressAreLeftOut names nothing but the gateway.
func TestPartsWithoutAnAddressAreLeftOut(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	report := examine(t, doctor.Config{Gateway: l.config.Gateway, Timeout: l.config.Timeout, Logger: discard})
	if report.FirstBroken != nil {
		t.Errorf("\n%s", lines(report))
	}
	ok := map[string]bool{}
	for _, c := range report.Checks {
		switch c.Status {
		case doctor.OK:
			ok[c.Name] = true
		case doctor.Skipped:
			if !strings.Contains(c.Seen, "no address: name one with --") {
				t.Errorf("%+v", c)
			}
		case doctor.Failed:
		}
	}
	if got := slices.Sorted(maps.Keys(ok)); !slices.Equal(got, []string{"gateway", "order-grpc", "order-rest", "services"}) {
		t.Errorf("looked at %q", got)
	}
	if n := len(spans(t, l.collector)); n != 0 {
		t.Errorf("%d traces of orders whose root nobody takes", n)
	}
}

// await asks until there is nothing to complain of.
func await(t *testing.T, complaint func() string) {
	t.Helper()
	testkit.Await(t, "nothing to complain of", 30*time.Second, func(context.Context) error {
		if text := complaint(); text != "" {
			return errors.New(text)
		}
		return nil
	})
}

// TestSpansAreCountedWithoutJaeger has only Jaeger broken, for Prometheus, too: it counts the spans all the same, and the doctor looks.
func TestSpansAreCountedWithoutJaeger(t *testing.T) {
	t.Parallel() // most of it is waiting
	l := startLab(t)
	config := l.config
	config.Jaeger, config.JaegerHealth = "http://"+nobody(t), ""
	l.numbers.targets += `,{"scrapeUrl":"http://jaeger:8887/metrics","health":"down","lastError":"connection refused","labels":{"job":"jaeger"}}`
	report := examine(t, config)
	status := map[string]doctor.Status{}
	for _, c := range report.Checks {
		status[c.Name] = c.Status
	}
	if *report.FirstBroken != "jaeger" || status["trace-rest"] != doctor.Skipped || status["prometheus-targets"] != doctor.OK || status["prometheus-spans"] != doctor.OK || status["prometheus-exemplars"] != doctor.OK {
		t.Errorf("\n%s", lines(report))
	}
}

// TestWhatCanNeverWorkIsAnError has an address that no client takes.
func TestWhatCanNeverWorkIsAnError(t *testing.T) {
	for name, config := range map[string]doctor.Config{
		"kafka":  {Gateway: "http://127.0.0.1:1", Kafka: []string{"127.0.0.1:port"}, Timeout: time.Second},
		"jaeger": {Gateway: "http://127.0.0.1:1", Kafka: []string{"127.0.0.1:1"}, Jaeger: "ftp://127.0.0.1", Timeout: time.Second},
	} {
		if report, err := doctor.Examine(t.Context(), config); err == nil {
			t.Errorf("%s: %+v", name, report)
		}
	}
}
