//go:build linux || darwin

package stack

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/broker"
	"tracelab/internal/parts"
	"tracelab/internal/postgres"
)

// kafka is the service that package broker runs; it has its own start and lock.
const kafka = "kafka"

// program is what runs an image's containers here, and how its health is asked for.
type program struct {
	find   func(context.Context, layout, parts.Programs) (path string, err error)
	health uint32 // the port inside of the container; 0: the lowest one that is published
	path   string // of the health URL
}

// programs says which image is which program. The image of Kafka is not here: its container's scripts have no counterpart, so
// package broker starts it, with the same settings (compose_test.go in this folder compares them).
var programs = map[string]program{
	"otel/opentelemetry-collector-contrib": {find: func(ctx context.Context, _ layout, p parts.Programs) (string, error) { return p.Collector(ctx) }, health: 13133, path: "/status"},
	"jaegertracing/jaeger":                 {find: func(ctx context.Context, _ layout, p parts.Programs) (string, error) { return p.Jaeger(ctx) }, health: 13134, path: "/status"},
	"prom/prometheus":                      {find: func(context.Context, layout, parts.Programs) (string, error) { return parts.Prometheus() }, health: 9090, path: "/-/ready"},
	"tracelab":                             {find: buildTracelab, path: "/healthz"},
}

func buildTracelab(ctx context.Context, l layout, p parts.Programs) (string, error) {
	output := filepath.Join(l.state, "bin", "tracelab")
	return output, p.Command(ctx, "cmd/tracelab", output)
}

const kafkaImage = "apache/kafka"

// postgresService is the service that package postgres runs, with a start and a lock of its own, too. It is started when STORE names it.
const (
	postgresService = "postgres"
	postgresImage   = "postgres"
)

// imageName returns a service's image without its tag.
func imageName(service types.ServiceConfig) string {
	name, _, _ := strings.Cut(service.Image, ":")
	return name
}

// layout knows where things are: the checkout, and the folder of the stack's state.
type layout struct{ root, state string }

func (l layout) stateFile() string           { return filepath.Join(l.state, "stack.json") }
func (l layout) addressesFile() string       { return filepath.Join(l.state, "addresses.json") }
func (l layout) log(name string) string      { return filepath.Join(l.state, "logs", name+".log") }
func (l layout) volume(name string) string   { return filepath.Join(l.state, "volumes", name) }
func (l layout) files(service string) string { return filepath.Join(l.state, "files", service) }
func (l layout) kafka() broker.Broker        { return broker.Broker{Dir: filepath.Join(l.state, kafka)} }
func (l layout) postgres() postgres.Server {
	return postgres.Server{Dir: filepath.Join(l.state, postgresService)}
}

// lock returns the file whose lock a part's process holds as long as it lives.
func (l layout) lock(name string) string {
	if name == kafka {
		return l.kafka().LockFile()
	}
	if name == postgresService {
		return l.postgres().LockFile()
	}
	return filepath.Join(l.state, name+".lock")
}
