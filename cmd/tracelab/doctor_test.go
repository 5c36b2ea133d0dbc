package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"tracelab/doctor"
	"tracelab/internal/otlp"
	"tracelab/internal/testkit"
	"tracelab/services/flows"
)

// noParts leaves every part of the doctor's defaults out.
var noParts = []string{"--kafka=", "--otlp=", "--collector=", "--collector-metrics=", "--jaeger=", "--jaeger-health="}

// examined runs `tracelab doctor` on nothing but what the arguments name.
func examined(t *testing.T, args ...string) (doctor.Report, int) {
	t.Helper()
	var out, talk bytes.Buffer
	all := append(append([]string{"doctor", "--format", "json", "--timeout", "8s"}, noParts...), args...)
	status := run(t.Context(), all, nil, &out, &talk)
	var report doctor.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%q: exit status %d: %v: %s", args, status, err, talk.String())
	}
	return report, status
}

// checkOf is one check of a report.
func checkOf(t *testing.T, report doctor.Report, name string) doctor.Check {
	t.Helper()
	for _, c := range report.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s", name)
	return doctor.Check{}
}

// parts are services with a Kafka and something that takes spans, for a doctor to look at.
type parts struct{ gateway, kafka, overGRPC, overHTTP string }

func startParts(t *testing.T, args ...string) parts {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	receiver, err := otlp.StartReceiver(otlp.ReceiverConfig{Address: "127.0.0.1:0", Keep: testkit.NewSpanStore().Add, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := parts{kafka: cluster.ListenAddrs()[0]}
	p.overGRPC, p.overHTTP = receiver.Addresses()
	serving := append([]string{"serve", "all", "--kafka", p.kafka, "--otlp", p.overGRPC}, args...)
	s := start(t, append(serving, anywhere(flows.Order().Services()...)...)...)
	s.await(t, `(?m)^ready: `)
	t.Cleanup(func() {
		if status := s.end(t); status != exitDone {
			t.Errorf("serve: exit status %d: %s", status, s)
		}
		if err := receiver.Close(t.Context()); err != nil {
			t.Log(err) // the test's context has ended
		}
	})
	p.gateway = s.url(t, "gateway")
	return p
}

// TestEveryDoctorFlagMakesADifference has a case for each flag of `tracelab doctor`, and fails for a flag that has none.
func TestEveryDoctorFlagMakesADifference(t *testing.T) {
	p := startParts(t, "--prefix", "mine.")
	const nobody = "127.0.0.1:1"
	// names tells that an address is used: with one where nobody listens, that check fails.
	names := func(check string, args ...string) func(*testing.T) {
		return func(t *testing.T) {
			with, status := examined(t, append(args, "--gateway", p.gateway)...)
			if c := checkOf(t, with, check); c.Status != doctor.Failed || !strings.Contains(c.Seen, "refused") || status != exitNotSo {
				t.Errorf("exit status %d, with an address: %+v", status, c)
			}
			without, status := examined(t, "--gateway", p.gateway)
			if c := checkOf(t, without, check); c.Status != doctor.Skipped || status != exitDone {
				t.Errorf("exit status %d, without: %+v", status, c)
			}
		}
	}
	cases := map[string]func(*testing.T){
		"gateway": func(t *testing.T) {
			for gateway, want := range map[string]int{p.gateway: exitDone, "http://" + nobody: exitNotSo} {
				if report, status := examined(t, "--gateway", gateway); status != want {
					t.Errorf("%s: exit status %d: %+v", gateway, status, report)
				}
			}
		},
		"flow": func(t *testing.T) {
			if report, status := examined(t, "--gateway", p.gateway, "--flow", "ride"); status != exitNotSo {
				t.Errorf("a ride of services that do orders: exit status %d: %+v", status, report)
			}
		},
		"kafka": names("kafka", "--kafka", nobody), "otlp": names("otlp", "--otlp", nobody),
		"collector": names("collector", "--collector", "http://"+nobody), "collector-metrics": names("collector-metrics", "--collector-metrics", "http://"+nobody),
		"jaeger": names("jaeger", "--jaeger", "http://"+nobody), "prometheus": names("prometheus", "--prometheus", "http://"+nobody),
		"grafana": names("grafana", "--grafana", "http://"+nobody), "pyroscope": names("pyroscope", "--pyroscope", "http://"+nobody),
		"rabbitmq": func(t *testing.T) {
			report, status := examined(t, "--gateway", p.gateway, "--rabbitmq", nobody)
			if c := checkOf(t, report, "rabbitmq"); c.Status != doctor.Failed || !strings.Contains(c.Seen, "refused") || status != exitNotSo {
				t.Errorf("exit status %d, with an address: %+v", status, c)
			}
			report, _ = examined(t, "--gateway", p.gateway)
			if slices.ContainsFunc(report.Checks, func(c doctor.Check) bool { return strings.HasPrefix(c.Name, "rabbitmq") }) {
				t.Errorf("without an address: %+v", report)
			}
		},
		"jaeger-health": func(t *testing.T) {
			report, status := examined(t, "--wait", "--only", "jaeger", "--timeout", "100ms", "--jaeger-health", "http://"+nobody)
			if c := checkOf(t, report, "jaeger"); status != exitNotSo || !strings.Contains(c.Seen, nobody+"/status") {
				t.Errorf("exit status %d, %+v", status, c)
			}
		},
		"prefix": func(t *testing.T) {
			for prefix, want := range map[string]doctor.Status{"": doctor.Failed, "mine.": doctor.OK} {
				report, _ := examined(t, "--gateway", p.gateway, "--kafka", p.kafka, "--prefix", prefix)
				if c := checkOf(t, report, "kafka-topics"); c.Status != want {
					t.Errorf("prefix %q: %+v", prefix, c)
				}
			}
		},
		"wait": func(t *testing.T) {
			report, status := examined(t, "--wait", "--gateway", p.gateway, "--kafka", p.kafka)
			if len(report.Checks) != len(doctor.Parts())-1 || status != exitDone {
				t.Errorf("exit status %d, %+v", status, report)
			}
		},
		"only": func(t *testing.T) {
			report, status := examined(t, "--wait", "--only", "kafka", "--only", "services", "--gateway", p.gateway, "--kafka", p.kafka)
			if len(report.Checks) != 2 || status != exitDone {
				t.Errorf("exit status %d, %+v", status, report)
			}
		},
		"timeout": func(t *testing.T) {
			began := time.Now()
			_, status := examined(t, "--wait", "--only", "kafka", "--kafka", nobody, "--timeout", "300ms")
			if took := time.Since(began); status != exitNotSo || took < 300*time.Millisecond || took > 5*time.Second {
				t.Errorf("exit status %d after %v", status, took)
			}
		},
		"format": func(t *testing.T) {
			var out, talk bytes.Buffer
			args := append([]string{"doctor", "--gateway", "http://" + nobody, "--format", "text"}, noParts...)
			status := run(t.Context(), args, nil, &out, &talk)
			for _, line := range []string{"FAILED  gateway  ", "skipped kafka   ", "skipped order-rest            because gateway failed\n", "\nfirst broken: gateway\n  seen: http://127.0.0.1:1/healthz: connection refused", "\n  do:   start the services"} {
				if !strings.Contains(out.String(), line) {
					t.Errorf("exit status %d: no %q in:\n%s%s", status, line, out.String(), talk.String())
				}
			}
		},
	}
	for name, check := range cases {
		t.Run(name, check)
	}
	everyFlagHasACase(t, "doctor", cases)
}

// TestDoctorGoesByItsVariables names every part by its variable alone, as compose does: an empty one leaves its part out.
func TestDoctorGoesByItsVariables(t *testing.T) {
	p := startParts(t)
	healthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer healthy.Close()
	for name, value := range map[string]string{
		"GATEWAY": p.gateway, "KAFKA": p.kafka, "OTLP": p.overGRPC, "COLLECTOR": healthy.URL, "COLLECTOR_METRICS": "", "JAEGER": healthy.URL,
		"JAEGER_HEALTH": healthy.URL, "PROMETHEUS": "", "GRAFANA": healthy.URL, "PYROSCOPE": "", "TIMEOUT": "20s",
	} {
		t.Setenv("TRACELAB_"+name, value)
	}
	var out, talk bytes.Buffer
	if status := run(t.Context(), []string{"doctor", "--wait"}, nil, &out, &talk); status != exitDone {
		t.Fatalf("exit status %d: %s%s", status, out.String(), talk.String())
	}
	for _, line := range []string{"ok      kafka", "ok      services", "ok      grafana", "skipped prometheus            no address: name one with --prometheus", "all well: 5 checks ok, 2 skipped"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no %q in:\n%s", line, out.String())
		}
	}
	t.Setenv("TRACELAB_KAFKA", "")
	out.Reset()
	if status := run(t.Context(), []string{"doctor", "--wait"}, nil, &out, &talk); status != exitDone || !strings.Contains(out.String(), "skipped kafka ") {
		t.Errorf("with an empty TRACELAB_KAFKA: exit status %d: %s", status, out.String())
	}
}

func TestDoctorCommandLinesThatMakeNoSense(t *testing.T) {
	for args, want := range map[string]string{
		"--only kafka":                           "--only goes with --wait",
		"--wait --only kafak":                    `no part "kafak": use one of kafka, rabbitmq, collector, jaeger, prometheus, grafana, pyroscope, services; did you mean "kafka"?`,
		"--wait --only pyroscope":                "pyroscope has no address to wait at: name one with --pyroscope",
		"--timeout 0s":                           "--timeout: use a positive value",
		"--gateway=":                             "--gateway: there is no chain to walk without one",
		"--gateway 127.0.0.1:18080":              "--gateway 127.0.0.1:18080: use a URL",
		"--kafka 9092":                           "--kafka 9092: use host:port",
		"--otlp grpc://127.0.0.1:4317":           "--otlp grpc://127.0.0.1:4317: use a URL",
		"--jaeger 127.0.0.1:16686":               "address of Jaeger",
		"--format html":                          "--format must be one of",
		"--prometheus ftp://127.0.0.1:1 surplus": "unexpected argument surplus",
	} {
		var out, talk bytes.Buffer
		if status := run(t.Context(), append([]string{"doctor"}, strings.Fields(args)...), nil, &out, &talk); status != exitUsage {
			t.Errorf("%s: exit status %d", args, status)
		}
		if !strings.Contains(talk.String(), want) || strings.Count(talk.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("%s: want one line with %q, got %q and %q", args, want, talk.String(), out.String())
		}
	}
}

func TestHelpListsTheDoctor(t *testing.T) {
	var help bytes.Buffer
	run(t.Context(), []string{"--help"}, nil, &help, &help)
	if !strings.Contains(help.String(), "\n  doctor ") {
		t.Errorf("%s", help.String())
	}
}

func TestDoctorJSON(t *testing.T) {
	contract := `
		.schema: string
		.checks: list
		.checks[]: object
		.checks[].name: string
		.checks[].status: string
		.checks[].seen: string
		.checks[].fix: string
		.checks[].took_ms: number
	`
	for gateway, first := range map[string]string{startParts(t).gateway: ".first_broken: null", "http://127.0.0.1:1": ".first_broken: string"} {
		var out, talk bytes.Buffer
		run(t.Context(), append([]string{"doctor", "--gateway", gateway, "--format", "json"}, noParts...), nil, &out, &talk)
		var document map[string]any
		if err := json.Unmarshal(out.Bytes(), &document); err != nil {
			t.Fatalf("%v: %s", err, talk.String())
		}
		holds(t, document, contract+first+"\n")
		if document["schema"] != doctor.Schema {
			t.Errorf("schema %v", document["schema"])
		}
	}
}
