//go:build linux || darwin

package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/parts"
	"tracelab/internal/stack"
	"tracelab/internal/testkit"
)

// load reads compose.yaml of a checkout in the ways in which a person can start it, as stack.Load does. Without the schema it takes a tenth
// of the time.
func load(t *testing.T, root string, schema bool) (c composeFile, err error) {
	t.Helper()
	project := func(env []string, profiles ...string) (*types.Project, error) {
		if schema {
			return stack.Load(t.Context(), root, env, profiles...)
		}
		options, err := cli.NewProjectOptions([]string{filepath.Join(root, "compose.yaml")}, cli.WithWorkingDirectory(root), cli.WithEnv(env),
			cli.WithEnvFiles(filepath.Join(root, ".env")), cli.WithDotEnv, cli.WithProfiles(profiles),
			cli.WithLoadOptions(func(o *loader.Options) { o.SkipValidation = true }))
		if err != nil {
			return nil, err
		}
		return options.LoadProject(t.Context())
	}
	c.root = root
	read := func(name string) string {
		text, readErr := os.ReadFile(filepath.Join(root, name))
		if readErr != nil {
			t.Fatal(readErr)
		}
		return string(text)
	}
	c.raw, c.env = read("compose.yaml"), read(".env")
	c.core = sync.OnceValue(func() *types.Project { // few rules need it, and reading is what takes the time
		core, err := project(nil)
		if err != nil {
			t.Error(err)
		}
		return core
	})
	if c.all, err = project([]string{"COMPOSE_PROFILES=full"}, "full", "run", "brokers", "stores", "watch"); err != nil {
		return c, err
	}
	c.full = c.all.WithServicesDisabled("run", "rabbitmq", "rabbitmq-ready", "postgres", "watcher")
	return c, nil
}

func root(t *testing.T) string {
	t.Helper()
	folder, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestCompose(t *testing.T) {
	c, err := load(t, root(t), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, violation := range r.check(c) {
				t.Error(violation)
			}
		})
	}
}

// breach is a change to a file that breaks a rule: the first line with the old text gets the new one, after the text from.
type breach struct {
	rule, file, from, old, new string
}

var breaches = []breach{
	{"core is kafka", "compose.yaml", "  pyroscope:\n", "    profiles: [full]\n", ""},
	{"core is kafka", "compose.yaml", "", "  shipping:\n", "  sipping:\n"},
	{"core is kafka", "compose.yaml", "  rabbitmq:\n", "    profiles: [brokers]\n", ""},
	{"images are", "compose.yaml", "", "apache/kafka:${KAFKA_VERSION}", "apache/kafka:4.4.0"},
	{"images are", "compose.yaml", "", "jaegertracing/jaeger:", "jaegertracing/all-in-one:"},
	{"images are", ".env", "", "GRAFANA_VERSION=12.4.10", "GRAFANA_VERSION=latest"},
	{"images are", ".env", "", "PYROSCOPE_VERSION=2.3.1", "PYROSCOPE_VERSION=2"},
	{"images are", ".env", "", "RABBITMQ_VERSION=4.3.4", "RABBITMQ_VERSION=4-management"},
	{"versions agree", ".env", "", "JAEGER_VERSION=2.21.0", "JAEGER_VERSION=2.18.0"},
	{"versions agree", ".env", "", "COLLECTOR_VERSION=0.155.0", "COLLECTOR_VERSION=0.154.0"},
	{"versions agree", ".env", "", "KAFKA_VERSION=4.4.0", "KAFKA_VERSION=4.3.0"},
	{"versions agree", ".env", "", "RABBITMQ_VERSION=4.3.4", "RABBITMQ_VERSION=3.13.7"},
	{"ports are", "compose.yaml", "", `"127.0.0.1:${KAFKA_PORT}:9092"`, `"${KAFKA_PORT}:9092"`},
	{"ports are", "compose.yaml", "", `"127.0.0.1:${KAFKA_PORT}:9092"`, `"0.0.0.0:${KAFKA_PORT}:9092"`},
	{"ports are", "compose.yaml", "", `"127.0.0.1:${KAFKA_PORT}:9092"`, `"127.0.0.1:9092:9092"`},
	{"ports are", ".env", "", "GRAFANA_PORT=3000", "GRAFANA_PORT=5000"},
	{"ports are", ".env", "", "GRAFANA_PORT=3000", "GRAFANA_PORT=55679"},
	{"ports are", ".env", "", "GRAFANA_PORT=3000", "GRAFANA_PORT=4040"},
	{"the limits of", "compose.yaml", "  kafka:\n", "mem_limit: 384m", "mem_limit: 440m"},
	{"the limits of", "compose.yaml", "  pyroscope:\n", "mem_limit: 256m", "mem_limit: 512m"},
	{"the limits of", "compose.yaml", "  grafana:\n", "    mem_limit: 256m\n", ""},
	{"Go programs", "compose.yaml", "  prometheus:\n", "GOMEMLIMIT: 160MiB", "GOGC: 50"},
	{"Go programs", "compose.yaml", "  prometheus:\n", "GOMEMLIMIT: 160MiB", "GOMEMLIMIT: 190MiB"},
	{"Go programs", "compose.yaml", "  kafka:\n", "-Xmx200m", "-Xmx400m"},
	{"Go programs", "compose.yaml", "  rabbitmq:\n", "mem_limit: 256m", "mem_limit: 96m"},
	{"Go programs", "compose.yaml", "  postgres:\n", "mem_limit: 192m", "mem_limit: 96m"},
	{"nobody is root", "compose.yaml", "  grafana:\n", `"472:0"`, `"0:0"`},
	{"nobody is root", "compose.yaml", "  kafka:\n", "    user: \"1000:1000\"\n", ""},
	{"root file systems", "compose.yaml", "x-container", "read_only: true", "read_only: false"},
	{"no capabilities", "compose.yaml", "", "cap_drop: [ALL]", "cap_drop: [NET_RAW]"},
	{"no capabilities", "compose.yaml", "", "cap_drop: [ALL]", "cap_drop: [ALL]\n  cap_add: [CHOWN]"},
	{"no new privileges", "compose.yaml", "", "no-new-privileges:true", "no-new-privileges:false"},
	{"nothing of the host's", "compose.yaml", "  jaeger:\n", "ui.json:ro", "ui.json"},
	{"nothing of the host's", "compose.yaml", "  jaeger:\n", "./jaeger/ui.json:/etc", "./jaeger/missing.json:/etc"},
	{"nothing of the host's", "compose.yaml", "  jaeger:\n", "./jaeger/ui.json:", "/var/run/docker.sock:"},
	{"no namespace", "compose.yaml", "  prometheus:\n", "    profiles: [full]\n", "    profiles: [full]\n    pid: host\n"},
	{"a tmpfs has a size", "compose.yaml", "  prometheus:\n", "/tmp:size=4m,", "/tmp:"},
	{"logs are rotated", "compose.yaml", "", "      max-size: 5m\n", ""},
	{"what serves", "compose.yaml", "  ready:\n", "restart: \"no\"", "restart: always"},
	{"what serves", "compose.yaml", "x-container", "restart: unless-stopped", "restart: on-failure"},
	{"a stop may take longer", "compose.yaml", "x-tracelab", "stop_grace_period: 15s", "stop_grace_period: 10s"},
	{"ours: one image", "compose.yaml", "x-tracelab", "target: final", "target: build"},
	{"ours: one image", "compose.yaml", "x-tracelab", "  pull_policy: build\n", ""},
	{"the seven", "compose.yaml", "  payment:\n", "[serve, payment]", "[serve, shipping]"},
	{"the seven", "compose.yaml", "", "${STORE:-/var/lib/tracelab/payment}", "${STORE:-/var/lib/tracelab/shipping}"},
	{"the seven", "compose.yaml", "", "- effects:/var/lib/tracelab", "- effects:/var/lib/other"},
	{"the seven", "compose.yaml", "", "TRACELAB_HOST: lab", "TRACELAB_HOST: box"},
	{"the seven", "compose.yaml", "", "payment=payment:18083", "payment=payment:18093"},
	{"the seven", "compose.yaml", "", "${COMPOSE_PROFILES:+http://pyroscope:4040}", "http://pyroscope:4040"},
	{"watchers read", "compose.yaml", "  watcher:\n", "--topic=otlp_spans", "--topic=spans"},
	{"watchers read", "compose.yaml", "  watcher:\n", "    profiles: [watch]\n", "    profiles: [watch]\n    container_name: watcher\n"},
	{"watchers read", ".env", "", "COLLECTOR_TO_KAFKA=no-kafka", "COLLECTOR_TO_KAFKA=kafka"},
	{"who starts", "compose.yaml", "  collector:\n", "      jaeger:\n        condition: service_started\n", ""},
	{"who starts", "compose.yaml", "x-service:", "service_completed_successfully", "service_started"},
	{"ready waits", "compose.yaml", "x-addresses", "  TRACELAB_JAEGER_HEALTH: http://jaeger:13134\n", ""},
	{"ready waits", "compose.yaml", "x-addresses", "${COMPOSE_PROFILES:+http://grafana:3000}", "http://grafana:3000"},
	{"ready waits", "compose.yaml", "  ready:\n", "[doctor, --wait]", "[doctor]"},
	{"every host:port", "compose.yaml", "  collector:\n", "jaeger:4317", "jaeger:4319"},
	{"every host:port", "compose.yaml", "x-addresses", "http://collector:8888", "http://colector:8888"},
	{"every host:port", "compose.yaml", "  collector:\n", "0.0.0.0:8889", "0.0.0.0:8890"},
	{"Grafana shows", "compose.yaml", "", "ORG_ROLE: Viewer", "ORG_ROLE: Admin"},
	{"Grafana shows", "compose.yaml", "", "GF_LOG_LEVEL: warn", "GF_INSTALL_PLUGINS: grafana-clock-panel"},
	{"Kafka has", "compose.yaml", "", "KAFKA_AUTO_CREATE_TOPICS_ENABLE: \"false\"", "KAFKA_AUTO_CREATE_TOPICS_ENABLE: \"true\""},
	{"Kafka has", "compose.yaml", "", "KAFKA_NODE_ID: 1", "KAFKA_NODE_ID: 1\n      KAFKA_NUM_PARTITIONS: 8"},
	{".env:", ".env", "", "KAFKA_PORT=9092", "KAFKA_PORT=9092\nZOOKEEPER_PORT=2181"},
	{".env:", ".env", "", "# Kafka, for clients outside of compose\n", ""},
	{"Dockerfile", "Dockerfile", "", "USER 10001:10001\n", ""},
	{"Dockerfile", "Dockerfile", "", "FROM scratch AS base", "FROM alpine AS base"},
	{"Dockerfile", ".env", "", "GO_VERSION=1.26.8", "GO_VERSION=1.26.7"},
}

// TestBreachesAreFound breaks each rule on purpose: a rule that nothing breaks says nothing.
func TestBreachesAreFound(t *testing.T) {
	broken := map[string]bool{}
	for _, b := range breaches {
		broken[ruleNamed(t, b.rule).name] = true
	}
	for _, b := range testkit.Few(8, breaches) {
		r := ruleNamed(t, b.rule)
		t.Run(r.name+"/"+strings.TrimSpace(b.new), func(t *testing.T) {
			t.Parallel()
			c, err := load(t, breakFile(t, root(t), b), false)
			if err != nil {
				t.Fatalf("the breach makes a file that cannot be loaded, which proves nothing: %v", err)
			}
			if len(r.check(c)) == 0 {
				t.Errorf("%s: with %q instead of %q the rule still holds", b.file, b.new, b.old)
			}
		})
	}
	for _, r := range rules {
		if !broken[r.name] {
			t.Errorf("no breach of the rule %q is tried", r.name)
		}
	}
}

func ruleNamed(t *testing.T, prefix string) rule {
	t.Helper()
	for _, r := range rules {
		if strings.HasPrefix(r.name, prefix) {
			return r
		}
	}
	t.Fatalf("no rule begins with %q", prefix)
	return rule{}
}

// breakFile returns a folder like the checkout in which one file is changed.
func breakFile(t *testing.T, root string, b breach) string {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"collector", "jaeger", "prometheus", "dashboards", "tools", "internal", "go.mod", "compose.yaml", ".env", "Dockerfile"} {
		if name != b.file {
			if err := os.Symlink(filepath.Join(root, name), filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), b.from)
	if !found || !strings.Contains(after, b.old) {
		t.Fatalf("%s has no %q after %q", b.file, b.old, b.from)
	}
	changed := before + b.from + strings.Replace(after, b.old, b.new, 1)
	if err := os.WriteFile(filepath.Join(folder, b.file), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}
