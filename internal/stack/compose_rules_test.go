//go:build linux || darwin

package stack_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
)

// composeFile is compose.yaml in the ways in which a person can start it, and as text.
type composeFile struct {
	root string
	all  *types.Project // with every profile and COMPOSE_PROFILES=full
	full *types.Project
	core func() *types.Project // without profiles; nil when it cannot be read
	raw  string                // compose.yaml, and
	env  string                // .env, as they are
}

// rule is something that compose.yaml keeps; check returns what is against it.
type rule struct {
	name  string
	check func(composeFile) []string
}

var (
	seven   = []string{"gateway", "orders", "inventory", "payment", "shipping", "notification", "analytics"} // in the order of their ports
	oneShot = []string{"collector-queue", "kafka-ready", "ready", "rabbitmq-ready", "run"}
	onTop   = []string{"prometheus", "grafana", "pyroscope"} // of the profile full
	brokers = []string{"rabbitmq", "rabbitmq-ready"}         // of the profile brokers
	stores  = []string{"postgres"}                           // of the profile stores
	watch   = []string{"watcher"}                            // of the profile watch
)

var rules = []rule{
	{"core is kafka, collector, jaeger, the seven and what waits for them; full adds three, brokers, stores and watch one each, with what waits for it; run is for people", func(c composeFile) []string {
		core := slices.Concat([]string{"kafka", "collector", "jaeger"}, seven, oneShot[:3])
		return slices.Concat(sameNames("core", c.core(), core), sameNames("full", c.full, slices.Concat(core, onTop)),
			sameNames("all", c.all, slices.Concat(core, onTop, brokers, stores, watch, []string{"run"})))
	}},
	{"images are multi-arch ones, with a tag from .env that is a whole version", images},
	{"versions agree with what CI builds and runs", versions},
	{"ports are on 127.0.0.1, from .env, unique, and none that other programs are known to take", ports},
	{"the limits of what up starts: core at most 1.2 GB, full at most 2 GB", memory},
	{"Go programs know their limit, and Java's heap leaves room below it", goMemoryLimit},
	{"nobody is root", each(func(s types.ServiceConfig) string {
		return unless(regexp.MustCompile(`^[1-9]\d*:\d+$`).MatchString(s.User), "user %q, want numbers, not 0", s.User)
	})},
	{"root file systems are read-only", each(func(s types.ServiceConfig) string { return unless(s.ReadOnly, "read_only is not true") })},
	{"no capabilities", each(func(s types.ServiceConfig) string {
		return unless(slices.Equal(s.CapDrop, []string{"ALL"}) && len(s.CapAdd) == 0 && !s.Privileged, "cap_drop %v, cap_add %v, privileged %v", s.CapDrop, s.CapAdd, s.Privileged)
	})},
	{"no new privileges", each(func(s types.ServiceConfig) string {
		return unless(slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}), "security_opt %v", s.SecurityOpt)
	})},
	{"nothing of the host's but single files and folders of ours, read-only", each(mounts)},
	{"no namespace of the host's", each(func(s types.ServiceConfig) string {
		return unless(s.NetworkMode == "" && s.Pid == "" && s.Ipc == "" && len(s.Devices) == 0, "network_mode %q, pid %q, ipc %q, devices %v", s.NetworkMode, s.Pid, s.Ipc, s.Devices)
	})},
	{"a tmpfs has a size", each(func(s types.ServiceConfig) string {
		for _, tmpfs := range s.Tmpfs {
			if !strings.Contains(tmpfs, "size=") {
				return tmpfs
			}
		}
		return ""
	})},
	{"logs are rotated", each(func(s types.ServiceConfig) string {
		return unless(s.Logging != nil && s.Logging.Options["max-size"] != "" && s.Logging.Options["max-file"] != "", "logging %+v", s.Logging)
	})},
	{"what serves is started again, what does one thing is not", each(func(s types.ServiceConfig) string {
		want := types.RestartPolicyUnlessStopped
		if slices.Contains(oneShot, s.Name) {
			want = types.RestartPolicyNo
		}
		return unless(s.Restart == want, "restart %q, want %q", s.Restart, want)
	})},
	{"a stop may take longer than serve's --grace and its last export, 8 s and 3 s", each(func(s types.ServiceConfig) string {
		return unless(s.StopGracePeriod != nil && time.Duration(*s.StopGracePeriod) > 11*time.Second, "stop_grace_period %v", s.StopGracePeriod)
	})},
	{"ours: one image, built from the stage final", ours},
	{"the seven: one host for all, addresses as published, and each keeps its state", sevenServices},
	{"watchers read what the collector writes, as many as are wanted", watchers},
	{"who starts after whom", order},
	{"ready waits for every part that has an address", ready},
	{"every host:port in an environment is a port that the service listens on", hostPorts},
	{"Grafana shows everything to anybody here, changes nothing, fetches nothing", grafana},
	{"Kafka has the settings of internal/broker", kafkaSettings},
	{".env: every line is used, and stands below a comment", envFile},
	{"Dockerfile: static, from nothing, not as root, the Go of .env", dockerfile},
}

// each makes a rule of what holds for every service; the check returns what is wrong, or nothing.
func each(check func(types.ServiceConfig) string) func(composeFile) []string {
	return func(c composeFile) (found []string) {
		for _, name := range slices.Sorted(maps.Keys(c.all.Services)) {
			if wrong := check(c.all.Services[name]); wrong != "" {
				found = append(found, name+": "+wrong)
			}
		}
		return found
	}
}

func unless(holds bool, format string, args ...any) string {
	if holds {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// list keeps the texts that are not empty.
func list(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

func sameNames(what string, project *types.Project, want []string) []string {
	got := slices.Sorted(maps.Keys(project.Services))
	slices.Sort(want)
	return list(unless(slices.Equal(got, want), "%s has %v, want %v", what, got, slices.Clone(want)))
}

// wholeVersion may name the Alpine that an image is built on.
var wholeVersion = regexp.MustCompile(`^v?\d+\.\d+(\.\d+|-alpine\d+\.\d+)$`)

// images knows the images that are published for amd64 and arm64.
func images(c composeFile) (found []string) {
	known := map[string]string{
		"apache/kafka": "KAFKA", "rabbitmq": "RABBITMQ", "postgres": "POSTGRES", "otel/opentelemetry-collector-contrib": "COLLECTOR", "jaegertracing/jaeger": "JAEGER",
		"prom/prometheus": "PROMETHEUS", "grafana/grafana": "GRAFANA", "grafana/pyroscope": "PYROSCOPE", "tracelab": "TRACELAB",
	}
	lines := regexp.MustCompile(`(?m)^\s+image:\s*(\S+)$`).FindAllStringSubmatch(c.raw, -1)
	for _, line := range lines {
		name, tag, _ := strings.Cut(line[1], ":")
		variable, ok := known[name]
		if !ok || tag != "${"+variable+"_VERSION}" {
			found = append(found, fmt.Sprintf("%s: want a known image and its version from .env", line[1]))
		} else if version := c.variable(variable + "_VERSION"); name != "tracelab" && !wholeVersion.MatchString(version) {
			found = append(found, fmt.Sprintf("%s_VERSION=%s is not a whole version", variable, version))
		}
	}
	if len(lines) != len(known) {
		found = append(found, fmt.Sprintf("%d image lines, want %d", len(lines), len(known)))
	}
	return found
}

// variable returns a value of .env.
func (c composeFile) variable(name string) string {
	match := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindStringSubmatch(c.env)
	if match == nil {
		return ""
	}
	return match[1]
}

func versions(c composeFile) []string {
	var major, minor int
	_, err := fmt.Sscanf(c.variable("JAEGER_VERSION"), "%d.%d.", &major, &minor)
	return list(
		unless(err == nil && (major > 2 || major == 2 && minor >= 19), "JAEGER_VERSION %s, want 2.19 or newer: its api/v3 searches by attributes", c.variable("JAEGER_VERSION")),
		unless(strings.HasPrefix(c.variable("PROMETHEUS_VERSION"), "v3."), "PROMETHEUS_VERSION %s, want the v3 line", c.variable("PROMETHEUS_VERSION")),
		unless(strings.HasPrefix(c.variable("RABBITMQ_VERSION"), "4."), "RABBITMQ_VERSION %s, want the line 4", c.variable("RABBITMQ_VERSION")),
		unless(strings.HasPrefix(c.variable("POSTGRES_VERSION"), "18."), "POSTGRES_VERSION %s, want the line 18", c.variable("POSTGRES_VERSION")),
		c.mentions("tools/collector/manifest.yaml", "version: "+c.variable("COLLECTOR_VERSION")),
		c.mentions("internal/broker/pom.xml", "<version>"+c.variable("KAFKA_VERSION")+"</version>"),
		c.mentions("go.mod", "go "+strings.Join(strings.SplitN(c.variable("GO_VERSION"), ".", 3)[:2], ".")),
	)
}

// mentions complains when a file of the checkout does not have the text.
func (c composeFile) mentions(file, text string) string {
	content, err := os.ReadFile(filepath.Join(c.root, file))
	if err != nil {
		return err.Error()
	}
	return unless(strings.Contains(string(content), text), "%s has no %q", file, text)
}

func ports(c composeFile) (found []string) {
	taken := map[string]string{}
	for _, s := range c.all.Services {
		for _, port := range s.Ports {
			number, err := strconv.Atoi(port.Published)
			known := number == 5000 || number == 7000 || number/1000 == 55 || number < 1024 // macOS, ephemeral, privileged
			found = append(found, list(
				unless(port.HostIP == "127.0.0.1", "%s: %s:%s is not on 127.0.0.1", s.Name, port.HostIP, port.Published),
				unless(err == nil && !known, "%s: port %q", s.Name, port.Published),
				unless(taken[port.Published] == "", "%s and %s: port %s", s.Name, taken[port.Published], port.Published))...)
			taken[port.Published] = s.Name
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^\s+- "\S+:\d+"$`).FindAllString(c.raw, -1) {
		if !regexp.MustCompile(`"127\.0\.0\.1:\$\{[A-Z_]+_PORT\}:\d+"`).MatchString(line) {
			found = append(found, strings.TrimSpace(line)+": the port is not from .env")
		}
	}
	return found
}

func memory(c composeFile) (found []string) {
	for name, budget := range map[*types.Project]int64{c.core(): 1_200_000_000, c.full: 2_000_000_000} {
		var sum int64
		for _, s := range name.Services {
			sum += int64(s.MemLimit)
			found = append(found, list(unless(s.MemLimit > 0, "%s has no mem_limit", s.Name))...)
		}
		found = append(found, list(unless(sum <= budget, "the limits come to %d bytes, want at most %d", sum, budget))...)
	}
	return append(found, list(unless(c.all.Services["run"].MemLimit > 0, "run has no mem_limit"))...)
}

var goMemoryLimit = each(func(s types.ServiceConfig) string {
	if s.Name == "kafka" {
		match := regexp.MustCompile(`-Xmx(\d+)m`).FindStringSubmatch(value(s, "KAFKA_HEAP_OPTS"))
		if match == nil {
			return "no -Xmx in KAFKA_HEAP_OPTS"
		}
		heap, err := strconv.ParseInt(match[1], 10, 64)
		return unless(err == nil && heap<<20 <= int64(s.MemLimit)*6/10, "-Xmx%dm leaves too little of %d bytes", heap, s.MemLimit)
	}
	if s.Name == "rabbitmq" { // reads the container's limit, and blocks publishers above a share of it
		return unless(s.MemLimit >= 200<<20, "%d bytes are too few for RabbitMQ, which takes 120 MB empty", s.MemLimit)
	}
	if s.Name == "postgres" { // each connection takes some
		return unless(s.MemLimit >= 128<<20, "%d bytes are too few for 150 connections", s.MemLimit)
	}
	limit, err := units.RAMInBytes(value(s, "GOMEMLIMIT"))
	return unless(err == nil && limit > 0 && limit < int64(s.MemLimit)*9/10, "GOMEMLIMIT %q, want one clearly below the limit of %d bytes", value(s, "GOMEMLIMIT"), s.MemLimit)
})

// value is a variable of the service's environment.
func value(s types.ServiceConfig, key string) string {
	if s.Environment[key] == nil {
		return ""
	}
	return *s.Environment[key]
}

// mounts allows named volumes where something must outlive its container, and our own configuration.
func mounts(s types.ServiceConfig) string {
	lasting := []string{"collector-queue", "effects", "kafka-data", "postgres-data", "prometheus-data", "pyroscope-data", "rabbitmq-data"}
	for _, mount := range s.Volumes {
		switch {
		case mount.Type == types.VolumeTypeVolume && slices.Contains(lasting, mount.Source):
		case mount.Type == types.VolumeTypeBind && mount.ReadOnly && exists(mount.Source) && slices.Contains([]string{"collector", "jaeger", "prometheus", "dashboards"}, topFolder(mount.Source)):
		default:
			return mount.String()
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// topFolder is the folder of this checkout that a path is in.
func topFolder(path string) string {
	for filepath.Base(filepath.Dir(path)) != "." && !exists(filepath.Join(filepath.Dir(path), "compose.yaml")) && filepath.Dir(path) != path {
		path = filepath.Dir(path)
	}
	return filepath.Base(path)
}
