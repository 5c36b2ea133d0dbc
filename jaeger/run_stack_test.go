//go:build stack

package jaeger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tracelab/internal/telemetry"
	"tracelab/services/faults"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/otlp"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// startServices starts the seven services on the Kafka of KAFKA_ADDR, which send their spans over OTLP, and returns the gateway's
// URL. They end with the test, and must have lost no span.
func startServices(t *testing.T, to string) string {
	t.Helper()
	kafka := os.Getenv("KAFKA_ADDR")
	if kafka == "" {
		t.Fatal("KAFKA_ADDR is empty: start a Kafka with `task kafka` and set KAFKA_ADDR to the address that it prints")
	}
	exporter, err := otlp.NewTraceExporter(t.Context(), destination(t, to).Traces)
	if err != nil {
		t.Fatal(err)
	}
	queue := telemetry.NewQueue(exporter, telemetry.QueueConfig{Interval: 200 * time.Millisecond})
	logger := slog.New(slog.DiscardHandler)
	config := services.Config{
		Services: flows.Order().Services(), Kafka: []string{kafka}, Prefix: "tracelab.jaeger." + time.Now().Format("150405.000000") + ".", Workers: 8, Network: services.TCP(), AllowFaults: true,
		Telemetry: telemetry.Config{Host: host, Instance: "one", Version: "test", Processors: []sdktrace.SpanProcessor{queue},
			Propagator: services.Propagator(logger), BaggageKeys: services.BaggageKeys()},
	}
	system, err := services.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := errors.Join(system.Shutdown(ctx), queue.Shutdown(ctx), services.RemoveTopics(ctx, config)); err != nil {
			t.Error(err)
		}
		if c := queue.Counts(); c.Dropped != 0 || c.Started != c.Exported {
			t.Errorf("spans: started %d = exported %d + dropped %d", c.Started, c.Exported, c.Dropped)
		}
	})
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := system.Ready(waiting); err != nil {
		t.Fatal(err)
	}
	return "http://" + system.Address(services.Gateway)
}

const (
	orders = 4
	host   = "lab" // of all services and of the client
)

// run runs the lab: in process without a change, else as the change says. Notification is made the last of the three that end an
// order: which of them it is, and so below which of them orders.Complete stands, is otherwise a matter of chance.
func run(t *testing.T, relation string, change func(*lab.Config)) *lab.Result {
	t.Helper()
	r, err := services.ParseRelation(relation)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := services.ParseFault(flows.Order(), "notification:delay=300ms")
	if err != nil {
		t.Fatal(err)
	}
	config := lab.Config{Faults: []faults.Fault{slow}, Orders: orders, WarmUp: 1, Seed: 7, Relation: r, Out: t.TempDir(), Version: "test", Deadline: 30 * time.Second, Timeout: 20 * time.Second}
	change(&config)
	result, err := lab.Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Problems) > 0 {
		t.Errorf("problems %q", result.Problems)
	}
	return result
}

// signatures are the structures of each form's journeys, with their numbers.
func signatures(t *testing.T, result *lab.Result) map[services.Form]map[string]int {
	t.Helper()
	found := map[services.Form]map[string]int{}
	for _, form := range flows.Order().DefaultForms() {
		found[form] = map[string]int{}
		for _, s := range compare.Describe(group(t, result, form)).Structures {
			found[form][s.Signature+" of "+strconv.Itoa(s.Nodes)+" nodes"] = s.Journeys
		}
	}
	return found
}

func group(t *testing.T, result *lab.Result, form services.Form) compare.Group {
	t.Helper()
	saved, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	g, warnings, err := saved.Group(string(form))
	if err != nil || len(warnings) > 0 {
		t.Errorf("%s: %v, warnings %q", form, err, warnings)
	}
	return g
}

// A run through a real Jaeger tells what a run in process tells: with spans sent to it straight and through the Collector, asked over
// HTTP and over gRPC, with one trace an order and with several.
func TestARunThroughJaegerIsTheRunInProcess(t *testing.T) {
	inProcess := map[string]*lab.Result{}
	for _, relation := range []string{"both", "link"} {
		inProcess[relation] = run(t, relation, func(*lab.Config) {})
	}
	for _, way := range []string{"straight", "through the Collector"} {
		t.Run(way, func(t *testing.T) {
			j := startJaeger(t, "http://127.0.0.1:1")
			spans := j.otlp
			if way != "straight" {
				spans, _ = startCollector(t, j)
			}
			gateway := startServices(t, spans)
			for _, c := range []struct{ relation, address string }{{"both", j.url}, {"link", j.url}, {"both", "grpc://" + j.grpc}} {
				t.Run(c.relation+" "+c.address[:4], func(t *testing.T) {
					began := time.Now()
					result := run(t, c.relation, func(config *lab.Config) {
						config.Target, config.Jaeger, config.OTLP, config.Host = gateway, c.address, destination(t, spans), host
					})
					sameAs(t, inProcess[c.relation], result)
					nothingToSay(t, result)
					noWarnings(t, j, result)
					if c.relation == "both" {
						kafkaEdges(t, j, began)
					}
				})
			}
		})
	}
}

func sameAs(t *testing.T, inProcess, result *lab.Result) {
	t.Helper()
	if diff := cmp.Diff(signatures(t, inProcess), signatures(t, result)); diff != "" {
		t.Errorf("structures: -in process +through Jaeger:\n%s", diff)
	}
	for form, want := range inProcess.Forms {
		got := result.Forms[form]
		if got.Orders != want.Orders || got.Journeys != orders || got.SpanCount != want.SpanCount || got.Traces != want.Traces {
			t.Errorf("%s: %+v in %d journeys of %d spans in %d traces, want %+v, %d, %d, %d", form, got.Orders, got.Journeys, got.SpanCount, got.Traces,
				want.Orders, orders, want.SpanCount, want.Traces)
		}
	}
}

// nothingToSay holds when the rules find no error and nothing that misleads in what was fetched: no orphan among it.
func nothingToSay(t *testing.T, result *lab.Result) {
	t.Helper()
	saved, _, err := rundir.Open(result.Dir)
	if err != nil {
		t.Fatal(err)
	}
	spans, warnings, err := saved.Spans()
	if err != nil || len(warnings) > 0 || len(spans) == 0 {
		t.Fatalf("%d spans, %v, warnings %q", len(spans), err, warnings)
	}
	found := lint.Check(journey.NewSet(spans))
	for _, f := range found.Findings {
		if f.Level <= lint.LevelWarning {
			t.Errorf("%s: %s", f.Rule, f.Text)
		}
	}
}

// noWarnings asks Jaeger itself for each trace, with its corrections: over api/v3, as its newer UIs do, and in the JSON of its older
// ones. There 2.13 knows two spans to be of one host by a resource attribute "ip" alone, which no convention has, and takes what
// comes after an acknowledgement for clock skew; api/v3 goes by host.id, and so do both since.
func noWarnings(t *testing.T, j jaegerAt, result *lab.Result) {
	t.Helper()
	traces := map[string]bool{}
	for _, form := range flows.Order().DefaultForms() {
		for _, journey := range group(t, result, form).Journeys {
			for _, id := range journey.Traces() {
				traces[id.String()] = true
			}
		}
	}
	if len(traces) < orders*len(flows.Order().DefaultForms()) {
		t.Errorf("only %d traces to look at", len(traces))
	}
	for id := range traces {
		text, err := get(t.Context(), j.url+"/api/v3/traces/"+id)
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.Index(text, "@jaeger@warnings"); at >= 0 {
			t.Errorf("api/v3: %s: …%.400s", id, text[at:])
		}
		var old struct {
			Data []struct {
				Warnings []string
				Spans    []struct{ Warnings []string }
			}
		}
		if err := getJSON(t.Context(), j.url+"/api/traces/"+id, &old); err != nil {
			t.Fatal(err)
		}
		for _, trace := range old.Data {
			all := trace.Warnings
			for _, span := range trace.Spans {
				all = append(all, span.Warnings...)
			}
			for _, warning := range all {
				if !strings.HasPrefix(warning, "clock skew adjustment disabled; not applying calculated delta of -") {
					t.Errorf("api: %s: %s", id, warning)
				}
			}
		}
	}
}

// kafkaEdges looks for the hops that only a message takes, from one service to another, and for some that are calls.
func kafkaEdges(t *testing.T, j jaegerAt, since time.Time) {
	t.Helper()
	var answer struct {
		Data []struct {
			Parent, Child string
			CallCount     int
		}
	}
	now := time.Now()
	query := url.Values{"endTs": {strconv.FormatInt(now.UnixMilli(), 10)}, "lookback": {strconv.FormatInt(now.Sub(since).Milliseconds()+1000, 10)}}
	if err := getJSON(t.Context(), j.url+"/api/dependencies?"+query.Encode(), &answer); err != nil {
		t.Fatal(err)
	}
	edges := map[string]int{}
	for _, edge := range answer.Data {
		edges[edge.Parent+" "+edge.Child] += edge.CallCount
	}
	for _, edge := range strings.Split("client gateway,gateway orders,orders inventory,inventory payment,payment shipping,payment notification,payment analytics,"+
		"shipping orders,notification orders,analytics orders", ",") {
		if edges[edge] < orders {
			t.Errorf("%s: %d calls in Jaeger's dependencies, want %d and more of %s", edge, edges[edge], orders, fmt.Sprint(edges))
		}
	}
}

// destination sends everything to an OTLP address that the test knows to be right.
func destination(t testing.TB, address string) otlp.Destination {
	t.Helper()
	d, err := otlp.ParseDestination(address, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return d
}
