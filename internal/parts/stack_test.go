//go:build stack && (linux || darwin)

package parts_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tracelab/internal/parts"
)

// TestPrograms builds the Collector and Jaeger where they are not in the cache yet, finds Prometheus, and asks each who it is.
func TestPrograms(t *testing.T) {
	for _, c := range []struct {
		name string
		path func(context.Context) (string, error)
		args []string
		says string
	}{
		{"collector", parts.Collector, []string{"components"}, "spanmetricsconnector"},
		{"jaeger", parts.Jaeger, []string{"version"}, "git"},
		{"prometheus", func(context.Context) (string, error) { return parts.Prometheus() }, []string{"--version"}, "prometheus, version"},
		{"promtool", func(context.Context) (string, error) { return parts.Promtool() }, []string{"--version"}, "promtool, version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, err := c.path(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if again, err := c.path(t.Context()); err != nil || again != path {
				t.Errorf("the second call says %s (%v), the first %s", again, err, path)
			}
			t.Logf("%s: second call %s", path, time.Since(began))
			out, err := exec.CommandContext(t.Context(), path, c.args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), c.says) {
				t.Errorf("%s %s: %v, want %q in\n%s", path, c.args, err, c.says, out)
			}
		})
	}
}
