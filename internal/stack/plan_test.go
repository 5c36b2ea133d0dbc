//go:build linux || darwin

package stack

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/parts"
)

// realProject is this checkout and its compose.yaml, with everything in it.
func realProject(t *testing.T) (root string, project *types.Project) {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	project, err = Load(t.Context(), root, []string{"COMPOSE_PROFILES=full"}, "full", runService)
	if err != nil {
		t.Fatal(err)
	}
	return root, project
}

// planned is the plan of the real compose.yaml, with the ports of .env.
func planned(t *testing.T) (plan, layout) {
	t.Helper()
	root, project := realProject(t)
	book, err := newAddressBook(project, false)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{root: root, state: "/state"}
	p, err := makePlan(project, book, l)
	if err != nil {
		t.Fatal(err)
	}
	return p, l
}

func (p plan) named(t *testing.T, name string) step {
	t.Helper()
	i := slices.IndexFunc(p.steps, func(s step) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no step %s", name)
	}
	return p.steps[i]
}

func (s step) variable(t *testing.T, key string) string {
	t.Helper()
	for _, variable := range s.env {
		if value, ok := strings.CutPrefix(variable, key+"="); ok {
			return value
		}
	}
	t.Fatalf("%s has no %s", s.name, key)
	return ""
}

func TestEverythingStartsAfterWhatItNeeds(t *testing.T) {
	p, _ := planned(t)
	var names []string
	for _, s := range p.steps {
		names = append(names, s.name)
	}
	before := func(a, b string) {
		if slices.Index(names, a) < 0 || slices.Index(names, a) > slices.Index(names, b) {
			t.Errorf("%s is not before %s in %v", a, b, names)
		}
	}
	before("kafka", "kafka-ready")
	before("collector-queue", "collector")
	before("jaeger", "collector")
	for _, service := range []string{"gateway", "orders", "inventory", "payment", "shipping", "notification", "analytics"} {
		before("kafka-ready", service)
		before("collector", service)
	}
	if names[len(names)-1] != "ready" || slices.Contains(names, "run") || !slices.Contains(names, "prometheus") {
		t.Errorf("order %v, want ready at the end, prometheus somewhere, and no run", names)
	}
	if left := slices.Sorted(maps.Keys(p.leftOut)); !slices.Equal(left, []string{"grafana", "pyroscope"}) {
		t.Errorf("left out: %v", left)
	}
}

func TestAddressesBecomeThisMachines(t *testing.T) {
	p, l := planned(t)
	collector, jaeger, gateway, prometheus := p.named(t, "collector"), p.named(t, "jaeger"), p.named(t, "gateway"), p.named(t, "prometheus")
	for _, c := range []struct{ what, got, want string }{
		{"a published port", collector.variable(t, "COLLECTOR_OTLP_GRPC"), "127.0.0.1:4317"},
		{"a host of its own", collector.variable(t, "COLLECTOR_METRICS_HOST"), "127.0.0.1"},
		{"a port of its own", collector.variable(t, "COLLECTOR_METRICS_PORT"), "8888"},
		{"the same unpublished port on both sides", collector.variable(t, "COLLECTOR_JAEGER"), jaeger.variable(t, "JAEGER_OTLP_GRPC")},
		{"another service's URL", jaeger.variable(t, "JAEGER_PROMETHEUS"), "http://127.0.0.1:9090"},
		{"a list", gateway.variable(t, "TRACELAB_HTTP"), "gateway=127.0.0.1:18080;orders=127.0.0.1:18081;inventory=127.0.0.1:18082;payment=127.0.0.1:18083;shipping=127.0.0.1:18084;notification=127.0.0.1:18085;analytics=127.0.0.1:18086"},
		{"Kafka's listener for inside is the one for outside", gateway.variable(t, "TRACELAB_KAFKA"), "127.0.0.1:9092"},
		{"a part that is left out", gateway.variable(t, "TRACELAB_PYROSCOPE"), ""},
		{"no address at all", gateway.variable(t, "TRACELAB_HOST"), "lab"},
		{"an alias of a host", p.addresses["TRACELAB_JAEGER"], "http://127.0.0.1:16686"},
		{"the gateway for run", p.addresses["TRACELAB_TARGET"], "http://127.0.0.1:18080"},
		{"Kafka for tests", p.addresses["KAFKA_ADDR"], "127.0.0.1:9092"},
		{"no RabbitMQ for tests", p.addresses["RABBITMQ_ADDR"], ""},
		{"a mounted file", collector.args[0], "--config=" + l.root + "/collector/collector.yaml"},
		{"a mounted file in the environment", jaeger.variable(t, "JAEGER_UI_CONFIG"), l.root + "/jaeger/ui.json"},
		{"a volume", collector.variable(t, "COLLECTOR_QUEUE"), "/state/volumes/collector-queue"},
		{"a file on a volume", gateway.variable(t, "TRACELAB_STORE"), "/state/volumes/effects/gateway"},
		{"a file with other addresses in it", prometheus.args[0], "--config.file=/state/files/prometheus/prometheus.yaml"},
		{"health at a published port", jaeger.health, "http://127.0.0.1:13134/status"},
		{"health of a service", gateway.health, "http://127.0.0.1:18080/healthz"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	if host := jaeger.variable(t, "JAEGER_OTLP_GRPC"); host == "127.0.0.1:4317" {
		t.Errorf("Jaeger listens at %s, which is the collector's", host)
	}
	if gateway.grace < 11*time.Second {
		t.Errorf("a stop may take %s", gateway.grace)
	}
}

// TestPrometheusScrapesThisMachine reads the copy of prometheus.yaml.
func TestPrometheusScrapesThisMachine(t *testing.T) {
	p, _ := planned(t)
	s := p.named(t, "prometheus")
	text := s.files["/state/files/prometheus/prometheus.yaml"]
	for _, target := range []string{`"127.0.0.1:8889"`, `"127.0.0.1:8888"`, `"127.0.0.1:8887"`, `"127.0.0.1:9090"`} {
		if !strings.Contains(text, target) {
			t.Errorf("no target %s in\n%s", target, text)
		}
	}
	if s.files["/state/files/prometheus/rules.yaml"] == "" {
		t.Errorf("the rules are not beside it: %v", slices.Sorted(maps.Keys(s.files)))
	}
}

// TestEveryMountedFileIsUsed holds what compose mounts against what the processes are given: the very file, or the copy of Prometheus's.
func TestEveryMountedFileIsUsed(t *testing.T) {
	p, l := planned(t)
	project, err := Load(t.Context(), l.root, []string{"COMPOSE_PROFILES=full"}, "full")
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, service := range project.Services {
		if p.leftOut[service.Name] != "" {
			continue
		}
		for _, mount := range service.Volumes {
			if mount.Type != types.VolumeTypeBind {
				continue
			}
			s := p.named(t, service.Name)
			given := strings.Join(slices.Concat(s.args, s.env, slices.Collect(maps.Keys(s.files))), " ")
			if !strings.Contains(given, mount.Source) && !strings.Contains(given, l.files(service.Name)+"/"+filepath.Base(mount.Source)) {
				t.Errorf("%s: %s is mounted, and not given to the process: %s", service.Name, mount.Source, given)
			}
			used++
		}
	}
	if used < 5 {
		t.Errorf("%d files are mounted, want at least the collector's, Jaeger's two and Prometheus's two", used)
	}
}

// TestFreePortsAreDistinct asks for as many ports as compose.yaml has, and more.
func TestFreePortsAreDistinct(t *testing.T) {
	_, project := realProject(t)
	book, err := newAddressBook(project, true)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, service := range project.Services {
		for _, port := range service.Ports {
			address, err := book.of(service.Name, port.Target)
			if err != nil || seen[address] {
				t.Errorf("%s:%d is at %s, as another one: %v", service.Name, port.Target, address, err)
			}
			if again, _ := book.of(service.Name, port.Target); again != address {
				t.Errorf("%s:%d is at %s, and then at %s", service.Name, port.Target, address, again)
			}
			seen[address] = true
		}
	}
}

func TestWhatDependsOnItselfIsRefused(t *testing.T) {
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	project, err := Load(t.Context(), root, nil)
	if err != nil {
		t.Fatal(err)
	}
	jaeger := project.Services["jaeger"]
	jaeger.DependsOn = project.Services["gateway"].DependsOn // collector, which depends on jaeger
	project.Services["jaeger"] = jaeger
	if _, err := inOrder(project); err == nil || !strings.Contains(err.Error(), "depends on itself") {
		t.Errorf("error %v", err)
	}
}
