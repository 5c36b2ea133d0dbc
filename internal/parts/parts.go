//go:build linux || darwin

// Package parts finds or builds the programs that the stack is made of, and runs them as child processes: the OpenTelemetry Collector and
// Jaeger are built from this repository's tools/collector and tools/jaeger into the user's cache, Prometheus is taken from PATH.
// It is for tests and for tools/stack; Apache Kafka has a package of its own, internal/broker.
package parts

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// builderVersion is the OpenTelemetry Collector Builder's: the same as that of the modules in tools/collector/manifest.yaml.
const builderVersion = "v0.155.0"

// Programs finds the programs, or builds them. The zero value does so in silence.
type Programs struct {
	Progress io.Writer // is told every few seconds how a build goes on; nil tells nobody
}

// Collector is Programs.Collector in silence.
func Collector(ctx context.Context) (string, error) { return Programs{}.Collector(ctx) }

// Jaeger is Programs.Jaeger in silence.
func Jaeger(ctx context.Context) (string, error) { return Programs{}.Jaeger(ctx) }

// Collector returns the path of an OpenTelemetry Collector with the parts named in tools/collector/manifest.yaml. It is built the first
// time, which takes minutes on a cold module cache; afterwards, and until the manifest or Go's version changes, the call takes milliseconds.
// Callers at the same time, in other processes too, wait for the one build.
func (p Programs) Collector(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	manifest := filepath.Join(root, "tools", "collector", "manifest.yaml")
	return build{name: "collector", sources: []string{manifest}, salt: builderVersion, progress: p.Progress, compile: func(ctx context.Context, folder, output string, progress io.Writer) error {
		text, err := os.ReadFile(manifest)
		if err != nil {
			return err
		}
		// The builder writes next to where it runs (output_path in the manifest), and names its output itself.
		if err := os.WriteFile(filepath.Join(folder, "manifest.yaml"), text, 0o644); err != nil {
			return err
		}
		if err := run(ctx, progress, folder, "go", "run", "go.opentelemetry.io/collector/cmd/builder@"+builderVersion, "--config", "manifest.yaml"); err != nil {
			return err
		}
		built, err := fs.Glob(os.DirFS(folder), "_build/otelcol-*")
		if err != nil {
			return err
		}
		if len(built) != 1 {
			return fmt.Errorf("the builder left %q in _build, want one otelcol-*", built)
		}
		return os.Rename(filepath.Join(folder, built[0]), output)
	}}.program(ctx)
}

// Jaeger returns the path of the Jaeger v2 that tools/jaeger/go.mod pins. What is said of Collector's time holds here, too. The program
// has no web page in it: its query APIs answer, the pages do not.
func (p Programs) Jaeger(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	module := filepath.Join(root, "tools", "jaeger")
	sources := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	return build{name: "jaeger", sources: sources, progress: p.Progress, compile: func(ctx context.Context, _, output string, progress io.Writer) error {
		return run(ctx, progress, module, "go", "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", output, "github.com/jaegertracing/jaeger/cmd/jaeger")
	}}.program(ctx)
}

// Command builds a command of this checkout, as cmd/tracelab, and leaves it at output. Go's own cache makes a second build quick.
func (p Programs) Command(ctx context.Context, folder, output string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	progress, stop := startProgress(folder, p.Progress)
	defer stop()
	return run(ctx, progress, root, "go", "build", "-v", "-o", output, "./"+folder)
}

// Prometheus returns the path of the prometheus program in PATH.
func Prometheus() (string, error) { return lookPath("prometheus") }

// Promtool returns the path of Prometheus's promtool in PATH, which comes with it.
func Promtool() (string, error) { return lookPath("promtool") }

func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not in PATH: install Prometheus, on Debian with `apt-get install prometheus`: %w", program, err)
	}
	return path, nil
}

// Root returns the top folder of this checkout, where compose.yaml and the folders of the parts' configurations are: the first folder at or above
// the working directory with both a compose.yaml and a go.mod. (Tests run in their package's folder; nested modules have no compose.yaml.)
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		if exists(filepath.Join(folder, "go.mod")) && exists(filepath.Join(folder, "compose.yaml")) {
			return folder, nil
		}
		if filepath.Dir(folder) == folder {
			return "", fmt.Errorf("%s is not inside a checkout of tracelab (no folder above has compose.yaml and go.mod): run it there", start)
		}
	}
}

// StateFolder returns the folder where a tool of that name keeps what outlives it. It follows the XDG base directory specification, for which the
// standard library knows only config and cache.
func StateFolder(tool string) (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tracelab", tool), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder to keep the state in, name one with -state: %w", err)
	}
	return filepath.Join(home, ".local", "state", "tracelab", tool), nil
}

// CacheFolder returns the folder of this project in the user's cache.
func CacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "tracelab"), err
}
