//go:build linux || darwin

package stack_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

func ours(c composeFile) (found []string) {
	for _, name := range slices.Concat(seven, oneShot, watch) {
		s := c.all.Services[name]
		found = append(found, list(
			unless(s.Image == "tracelab:"+c.variable("TRACELAB_VERSION"), "%s: image %s", name, s.Image),
			unless(s.Build != nil && s.Build.Target == "final" && s.Build.Context == c.root, "%s: build %+v", name, s.Build),
			unless(s.PullPolicy == types.PullPolicyBuild, "%s: pull_policy %q would look for our image in a registry", name, s.PullPolicy))...)
	}
	return found
}

func sevenServices(c composeFile) (found []string) {
	var http, grpc []string
	for i, name := range seven {
		s := c.all.Services[name]
		http = append(http, fmt.Sprintf("%s=%s:%d", name, name, 18080+i))
		grpc = append(grpc, fmt.Sprintf("%s=%s:%d", name, name, 19080+i))
		var targets []string
		for _, port := range s.Ports {
			targets = append(targets, fmt.Sprintf("%s:%d", port.Published, port.Target))
		}
		slices.Sort(targets)
		want := []string{fmt.Sprintf("%d:%d", 18080+i, 18080+i), fmt.Sprintf("%d:%d", 19080+i, 19080+i)}
		found = append(found, list(
			unless(slices.Equal(s.Command, []string{"serve", name}), "%s: command %v", name, s.Command),
			unless(slices.Equal(targets, want), "%s: ports %v, want %v", name, targets, want))...)
	}
	for _, name := range seven {
		s := c.all.Services[name]
		found = append(found, list(
			unless(value(s, "TRACELAB_HTTP") == strings.Join(http, ";"), "%s: TRACELAB_HTTP %s", name, value(s, "TRACELAB_HTTP")),
			unless(value(s, "TRACELAB_GRPC") == strings.Join(grpc, ";"), "%s: TRACELAB_GRPC %s", name, value(s, "TRACELAB_GRPC")),
			unless(value(s, "TRACELAB_HOST") != "" && value(s, "TRACELAB_HOST") == value(c.all.Services["run"], "TRACELAB_HOST"), "%s: TRACELAB_HOST %q is not that of run", name, value(s, "TRACELAB_HOST")),
			unless(value(s, "TRACELAB_STORE") == "/var/lib/tracelab/"+name, "%s: TRACELAB_STORE %q is no file of its own", name, value(s, "TRACELAB_STORE")),
			unless(slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
				return v.Type == types.VolumeTypeVolume && v.Target == "/var/lib/tracelab"
			}),
				"%s: what it keeps is on no volume", name),
			unless(value(s, "TRACELAB_OTLP") != "", "%s: no TRACELAB_OTLP", name),
			unless(value(c.core().Services[name], "TRACELAB_PYROSCOPE") == "", "%s pushes profiles without the profile full", name),
			unless(value(s, "TRACELAB_PYROSCOPE") != "", "%s pushes no profiles with the profile full", name))...)
	}
	return found
}

func order(c composeFile) (found []string) {
	want := map[string]map[string]string{
		"collector":   {"jaeger": types.ServiceConditionStarted, "collector-queue": types.ServiceConditionCompletedSuccessfully},
		"kafka-ready": {"kafka": types.ServiceConditionStarted}, "rabbitmq-ready": {"rabbitmq": types.ServiceConditionStarted},
		"watcher": {"collector": types.ServiceConditionStarted, "kafka-ready": types.ServiceConditionCompletedSuccessfully},
		"grafana": {"jaeger": types.ServiceConditionStarted, "prometheus": types.ServiceConditionStarted},
	}
	for _, name := range seven {
		want[name] = map[string]string{"collector": types.ServiceConditionStarted, "kafka-ready": types.ServiceConditionCompletedSuccessfully, "postgres": types.ServiceConditionHealthy,
			"rabbitmq-ready": types.ServiceConditionCompletedSuccessfully}
	}
	for name, s := range c.all.Services {
		got := map[string]string{}
		for dependency, condition := range s.DependsOn {
			got[dependency] = condition.Condition
		}
		found = append(found, list(unless(maps.Equal(got, want[name]), "%s depends on %v, want %v", name, got, want[name]))...)
	}
	return found
}

func ready(c composeFile) (found []string) {
	always := []string{"GATEWAY", "KAFKA", "OTLP", "COLLECTOR", "COLLECTOR_METRICS", "JAEGER", "JAEGER_HEALTH"}
	for _, name := range always {
		found = append(found, list(unless(value(c.core().Services["ready"], "TRACELAB_"+name) != "", "ready has no TRACELAB_%s", name))...)
	}
	for _, name := range onTop {
		key := "TRACELAB_" + strings.ToUpper(name)
		found = append(found, list(
			unless(value(c.core().Services["ready"], key) == "", "ready waits for %s without the profile full", name),
			unless(value(c.full.Services["ready"], key) != "", "ready does not wait for %s with the profile full", name))...)
	}
	return append(found, list(
		unless(slices.Equal(c.all.Services["rabbitmq-ready"].Command, []string{"doctor", "--wait", "--only", "rabbitmq"}), "rabbitmq-ready runs %v", c.all.Services["rabbitmq-ready"].Command),
		unless(slices.Equal(c.core().Services["ready"].Command, []string{"doctor", "--wait"}), "ready runs %v", c.core().Services["ready"].Command),
		unless(slices.Equal(c.core().Services["kafka-ready"].Command, []string{"doctor", "--wait", "--only", "kafka"}), "kafka-ready runs %v", c.core().Services["kafka-ready"].Command))...)
}

// hostPorts takes what is published, and what only containers use, for the ports that a service listens on.
func hostPorts(c composeFile) (found []string) {
	listens := map[string]bool{"kafka:29092": true, "jaeger:4317": true, "jaeger:4318": true, "127.0.0.1:9093": true}
	names := []string{"localhost", "127.0.0.1", "0.0.0.0"}
	for name, s := range c.all.Services {
		names = append(names, name)
		for _, port := range s.Ports {
			listens[fmt.Sprintf("%s:%d", name, port.Target)] = true
			listens["127.0.0.1:"+port.Published], listens["localhost:"+port.Published] = true, true
			for _, network := range s.Networks {
				for _, alias := range aliases(network) {
					listens[fmt.Sprintf("%s:%d", alias, port.Target)] = true
				}
			}
		}
	}
	address := regexp.MustCompile(`([\w.-]+):(\d{2,5})\b`)
	for name, s := range c.all.Services {
		for key := range s.Environment {
			for _, match := range address.FindAllStringSubmatch(value(s, key), -1) {
				at := match[0]
				if match[1] == "0.0.0.0" {
					at = name + ":" + match[2]
				}
				found = append(found, list(unless(listens[at], "%s: %s: nothing listens at %s", name, key, at))...)
			}
		}
	}
	return found
}

func aliases(network *types.ServiceNetworkConfig) []string {
	if network == nil {
		return nil
	}
	return network.Aliases
}

func grafana(c composeFile) (found []string) {
	for key, want := range map[string]string{
		"GF_AUTH_ANONYMOUS_ENABLED": "true", "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer", "GF_AUTH_BASIC_ENABLED": "false", "GF_AUTH_DISABLE_LOGIN_FORM": "true",
		"GF_PLUGINS_PREINSTALL_DISABLED": "true", "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false", "GF_INSTALL_PLUGINS": "", "GF_PLUGINS_PREINSTALL": "", "GF_PLUGINS_PREINSTALL_SYNC": "",
		"GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false", "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
	} {
		got := value(c.all.Services["grafana"], key)
		found = append(found, list(unless(got == want, "%s is %q, want %q", key, got, want))...)
	}
	return found
}

// kafkaSettings compares the environment of Kafka's container with the settings in internal/broker; where it listens and keeps its data is each one's own.
func kafkaSettings(c composeFile) (found []string) {
	text, err := os.ReadFile(filepath.Join(c.root, "internal", "broker", "broker.go"))
	if err != nil {
		return []string{err.Error()}
	}
	lines := regexp.MustCompile(`(?m)^([a-z.]+)=([^{}\n]*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) < 10 {
		return []string{fmt.Sprintf("%d settings in internal/broker/broker.go: are they written otherwise now?", len(lines))}
	}
	want := map[string]string{}
	if id := regexp.MustCompile(`clusterID = "([^"]+)"`).FindStringSubmatch(string(text)); id != nil {
		want["CLUSTER_ID"] = id[1]
	}
	for _, line := range lines {
		want["KAFKA_"+strings.ToUpper(strings.ReplaceAll(line[1], ".", "_"))] = line[2]
	}
	own := []string{"KAFKA_ADVERTISED_LISTENERS", "KAFKA_LISTENERS", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "KAFKA_INTER_BROKER_LISTENER_NAME",
		"KAFKA_CONTROLLER_QUORUM_VOTERS", "KAFKA_LOG_DIRS", "KAFKA_HEAP_OPTS", "EXTRA_ARGS"}
	got := c.all.Services["kafka"].Environment
	for key := range want {
		found = append(found, list(unless(value(c.all.Services["kafka"], key) == want[key], "%s is %q, want %q", key, value(c.all.Services["kafka"], key), want[key]))...)
	}
	for key := range got {
		_, shared := want[key]
		found = append(found, list(unless(shared || slices.Contains(own, key), "%s is not among the settings of internal/broker", key))...)
	}
	return found
}

func envFile(c composeFile) (found []string) {
	commented := false
	for line := range strings.Lines(c.env) {
		name, _, isVariable := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.HasPrefix(line, "#"):
			commented = true
		case strings.TrimSpace(line) == "":
			commented = false
		case isVariable:
			found = append(found, list(
				unless(commented, ".env: %s has no comment", name),
				unless(regexp.MustCompile(`\$\{`+name+`\b`).MatchString(c.raw), ".env: compose.yaml does not use %s", name))...)
		}
	}
	return found
}

func dockerfile(c composeFile) []string {
	text, err := os.ReadFile(filepath.Join(c.root, "Dockerfile"))
	if err != nil {
		return []string{err.Error()}
	}
	has := func(line string) string {
		return unless(regexp.MustCompile(`(?m)^\s*`+line).Match(text), "Dockerfile has no line %s", line)
	}
	stages := regexp.MustCompile(`(?m)^FROM .* AS (\w+)$`).FindAllStringSubmatch(string(text), -1)
	last := ""
	if len(stages) > 0 {
		last = stages[len(stages)-1][1]
	}
	return list(has(`FROM scratch AS base`), has(`FROM base AS final`), has(`FROM base AS prebuilt`), has(`USER 10001:10001`), has(`CGO_ENABLED=0 go build `),
		has(`LABEL org\.opencontainers\.image\.`), has(`ARG GO_VERSION=`+regexp.QuoteMeta(c.variable("GO_VERSION"))+`$`),
		unless(last == "final", "the last stage is %q, want final", last),
		unless(!strings.Contains(string(text), "\nFROM golang") || strings.Index(string(text), "AS prebuilt") < strings.Index(string(text), "FROM golang"), "prebuilt comes after a stage that is pulled"))
}
