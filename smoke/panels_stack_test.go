//go:build stack && (linux || darwin)

package smoke_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// everyPanelIsDrawn has tools/panels draw the dashboards in Chromium: no panel is empty, and nothing on one is cut off. It runs where Chromium
// and Grafana's components are installed, since installing these takes minutes; TRACELAB_PANELS names a folder that keeps the pictures.
func (s *system) everyPanelIsDrawn(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cache, "tracelab", "panels", "node_modules", "@grafana", "ui")); err != nil {
		t.Skip("Grafana's components are not installed: go run ./tools/panels installs them")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no chromium")
	}
	out := os.Getenv("TRACELAB_PANELS")
	if out == "" {
		out = t.TempDir()
	}
	s.draw(t, filepath.Join(out, "order"), "order", "errors.json", "forms.json", "latency.json", "queues.json", "services.json", "telemetry.json")
	s.draw(t, filepath.Join(out, "own"), "bakery", "delivery.json", "forms.json", "queues.json")
}

// draw has dashboards drawn with a flow chosen.
func (s *system) draw(t *testing.T, out, flow string, dashboards ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := append([]string{"run", "./tools/panels", "-prometheus", s.Addresses["TRACELAB_PROMETHEUS"], "-jaeger", s.Addresses["TRACELAB_JAEGER"], "-minutes", "10", "-flow", flow, "-out", out}, dashboards...)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = s.root
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	said, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("flow %s: %v\n%s", flow, err, said)
	}
	t.Logf("%s", said)
}
