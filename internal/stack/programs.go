//go:build linux || darwin

package stack

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"tracelab/internal/parts"
)

// program is what runs an image's containers here, and how its health is asked for.
type program struct {
	find   func(context.Context, layout, parts.Programs) (path string, err error)
	health uint32 // the port inside of the container; 0: the lowest one that is published
	path   string // of the health URL
}

// programs says which image is which program. What packages of their own run is among servers.
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

// lock returns the file whose lock a part's process holds as long as it lives.
func (l layout) lock(name string) string {
	if server, ok := servers[name]; ok {
		return server.lock(l)
	}
	return filepath.Join(l.state, name+".lock")
}
