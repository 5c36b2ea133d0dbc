//go:build linux || darwin

package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/parts"
)

// kafka is the service that tools/kafka runs; it has its own start, stop and lock.
const kafka = "kafka"

// program is what runs an image's containers here, and how its health is asked for.
type program struct {
	find   func(ctx context.Context, l layout) (path string, err error)
	health uint32 // the port inside of the container; 0: the lowest one that is published
	path   string // of the health URL
}

// programs says which image is which program. The image of Kafka is not here: its container's scripts have no counterpart, so
// tools/kafka starts it, with the same settings (compose_test.go in this folder compares them).
var programs = map[string]program{
	"otel/opentelemetry-collector-contrib": {find: func(ctx context.Context, _ layout) (string, error) { return parts.Collector(ctx) }, health: 13133, path: "/status"},
	"jaegertracing/jaeger":                 {find: func(ctx context.Context, _ layout) (string, error) { return parts.Jaeger(ctx) }, health: 13134, path: "/status"},
	"prom/prometheus":                      {find: func(context.Context, layout) (string, error) { return parts.Prometheus() }, health: 9090, path: "/-/ready"},
	"tracelab":                             {find: func(ctx context.Context, l layout) (string, error) { return l.build(ctx, "cmd/tracelab") }, path: "/healthz"},
}

const kafkaImage = "apache/kafka"

// imageName is an image without its tag.
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
func (l layout) kafka() string               { return filepath.Join(l.state, kafka) }

// lock is the file whose lock a part's process holds as long as it lives.
func (l layout) lock(name string) string {
	if name == kafka {
		return filepath.Join(l.kafka(), "kafka.lock")
	}
	return filepath.Join(l.state, name+".lock")
}

// build builds a command of the checkout; Go's own cache makes a second build quick.
func (l layout) build(ctx context.Context, folder string) (string, error) {
	output := filepath.Join(l.state, "bin", filepath.Base(folder))
	command := exec.CommandContext(ctx, "go", "build", "-o", output, "./"+folder)
	command.Dir = l.root
	command.Env = append(os.Environ(), "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w:\n%s", folder, err, out)
	}
	return output, nil
}
