package collector_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// config is a configuration of the Collector, as far as the tests look at it.
type config struct {
	Receivers  map[string]any `yaml:"receivers"`
	Processors map[string]any `yaml:"processors"`
	Connectors map[string]any `yaml:"connectors"`
	Exporters  map[string]any `yaml:"exporters"`
	Extensions map[string]any `yaml:"extensions"`
	Service    struct {
		Extensions []string            `yaml:"extensions"`
		Pipelines  map[string]pipeline `yaml:"pipelines"`
	} `yaml:"service"`
}

type pipeline struct {
	Receivers  []string `yaml:"receivers"`
	Processors []string `yaml:"processors"`
	Exporters  []string `yaml:"exporters"`
}

func readConfig(t *testing.T, file string) (config, string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c config
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c, string(text)
}

// TestEveryAddressComesFromTheEnvironment also holds the table at the top of the file to what is used.
func TestEveryAddressComesFromTheEnvironment(t *testing.T) {
	_, text := readConfig(t, "collector.yaml")
	used := map[string]string{}
	for _, m := range regexp.MustCompile(`\$\{env:([A-Z_]+):-([^}]*)\}`).FindAllStringSubmatch(text, -1) {
		used[m[1]] = m[2]
	}
	want := map[string]string{
		"COLLECTOR_OTLP_GRPC": "0.0.0.0:4317", "COLLECTOR_OTLP_HTTP": "0.0.0.0:4318", "COLLECTOR_HEALTH": "0.0.0.0:13133",
		"COLLECTOR_METRICS_HOST": "0.0.0.0", "COLLECTOR_METRICS_PORT": "8888", "COLLECTOR_PROMETHEUS": "0.0.0.0:8889",
		"COLLECTOR_QUEUE": "/var/lib/otelcol", "COLLECTOR_JAEGER": "jaeger:4317",
	}
	if diff := cmp.Diff(want, used); diff != "" {
		t.Errorf("variables and their defaults (-want +got):\n%s", diff)
	}
	for name, value := range want {
		if !regexp.MustCompile(`(?m)^#   ` + name + ` +` + regexp.QuoteMeta(value) + ` `).MatchString(text) {
			t.Errorf("the table at the top does not say %s %s", name, value)
		}
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && strings.Contains(line, "endpoint:") && !strings.Contains(line, "${env:") {
			t.Errorf("an endpoint that is not from the environment: %s", line)
		}
	}
}

// TestPipelinesUseWhatIsThere finds a component that no pipeline uses, which the Collector itself passes over in silence.
func TestPipelinesUseWhatIsThere(t *testing.T) {
	c, _ := readConfig(t, "collector.yaml")
	sampling, _ := readConfig(t, "tail-sampling.yaml")
	kafka, _ := readConfig(t, "kafka.yaml")
	maps.Copy(c.Processors, sampling.Processors)
	maps.Copy(c.Exporters, kafka.Exporters)
	used := map[string]bool{}
	for _, pipelines := range []map[string]pipeline{c.Service.Pipelines, sampling.Service.Pipelines, kafka.Service.Pipelines} {
		for _, p := range pipelines {
			for _, name := range slices.Concat(p.Receivers, p.Processors, p.Exporters) {
				used[name] = true
			}
		}
	}
	for _, name := range c.Service.Extensions {
		used[name] = true
	}
	there := map[string]bool{}
	for _, components := range []map[string]any{c.Receivers, c.Processors, c.Connectors, c.Exporters, c.Extensions} {
		for name := range components {
			there[name] = true
		}
	}
	if diff := cmp.Diff(there, used); diff != "" {
		t.Errorf("configured and used (-configured +used):\n%s", diff)
	}
}

// TestManifestHasWhatTheConfigurationUses: what CI builds is the part of contrib that is used here, so that nothing is used that
// one of the two lacks.
func TestManifestHasWhatTheConfigurationUses(t *testing.T) {
	manifest, err := os.ReadFile("../tools/collector/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]string{ // a component's type, and the last part of its module
		"otlp": "otlpreceiver", "memory_limiter": "memorylimiterprocessor", "attributes": "attributesprocessor", "resource": "resourceprocessor",
		"tail_sampling": "tailsamplingprocessor", "span_metrics": "spanmetricsconnector", "otlp_grpc": "otlpexporter",
		"prometheus": "prometheusexporter", "healthcheckv2": "healthcheckv2extension", "file_storage": "filestorage",
		"kafka": "kafkaexporter",
	}
	c, _ := readConfig(t, "collector.yaml")
	sampling, _ := readConfig(t, "tail-sampling.yaml")
	kafka, _ := readConfig(t, "kafka.yaml")
	want := map[string]bool{"debugexporter": true} // for looking at what passes by
	for _, components := range []map[string]any{c.Receivers, c.Processors, c.Connectors, c.Exporters, c.Extensions, sampling.Processors, kafka.Exporters} {
		for name := range components {
			kind, _, _ := strings.Cut(name, "/")
			if modules[kind] == "" {
				t.Errorf("%s: this test does not know the module of %s", name, kind)
			}
			want[modules[kind]] = true
		}
	}
	got := map[string]bool{}
	for _, m := range regexp.MustCompile(`gomod: \S+/([a-z0-9]+) v`).FindAllStringSubmatch(string(manifest), -1) {
		if !strings.HasSuffix(m[1], "provider") {
			got[m[1]] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules in the manifest (-want +got):\n%s", diff)
	}
}

// TestSamplingComesLastAndNotBeforeTheMetrics: an addition replaces a pipeline's list of processors as a whole.
func TestSamplingComesLastAndNotBeforeTheMetrics(t *testing.T) {
	c, _ := readConfig(t, "collector.yaml")
	sampling, _ := readConfig(t, "tail-sampling.yaml")
	want := append(slices.Clone(c.Service.Pipelines["traces"].Processors), "tail_sampling")
	if diff := cmp.Diff(want, sampling.Service.Pipelines["traces"].Processors); diff != "" {
		t.Errorf("processors of the pipeline to Jaeger (-want +got):\n%s", diff)
	}
	if len(sampling.Service.Pipelines) != 1 {
		t.Errorf("tail-sampling.yaml changes %d pipelines, want the one to Jaeger", len(sampling.Service.Pipelines))
	}
}
