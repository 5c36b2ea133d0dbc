//go:build stack

package prometheus_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tracelab/internal/parts"
)

func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := parts.Promtool()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	return string(out), err
}

func TestPromtoolAcceptsConfigurationAndRules(t *testing.T) {
	for _, args := range [][]string{
		{"check", "config", "prometheus.yaml"},
		{"check", "rules", "--lint-fatal", "rules.yaml"},
		{"test", "rules", "rules_test.yaml"},
	} {
		if out, err := promtool(t, args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestAlertTestsFindChangedAlerts makes each alert deaf in turn, by a threshold that nothing reaches: its test must fail.
func TestAlertTestsFindChangedAlerts(t *testing.T) {
	rules, tests := read(t, "rules.yaml"), read(t, "rules_test.yaml")
	blocks := strings.Split(rules, "      - alert: ")
	if len(blocks) < 5 {
		t.Fatalf("%d alerts found in rules.yaml", len(blocks)-1)
	}
	for i, block := range blocks[1:] {
		name, _, _ := strings.Cut(block, "\n")
		t.Run(name, func(t *testing.T) {
			expr, rest, ok := strings.Cut(block, "        for: ")
			if !ok {
				t.Fatal("no for after the expression")
			}
			deaf := append([]string{}, blocks...)
			deaf[i+1] = deafen(expr) + "        for: " + rest
			dir := t.TempDir()
			for file, text := range map[string]string{"rules.yaml": strings.Join(deaf, "      - alert: "), "rules_test.yaml": testsOf(tests, name)} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := promtool(t, "check", "rules", filepath.Join(dir, "rules.yaml")); err != nil {
				t.Fatalf("the changed rules are no rules: %v\n%s", err, out)
			}
			if out, err := promtool(t, "test", "rules", filepath.Join(dir, "rules_test.yaml")); err == nil || !strings.Contains(out, name) {
				t.Errorf("the tests pass although %s cannot fire: %v\n%s", name, err, out)
			}
		})
	}
}

// testsOf returns the file of tests with those of one alert only.
func testsOf(tests, alert string) string {
	blocks := strings.Split(tests, "\n  - name: ")
	kept := blocks[:1]
	for _, block := range blocks[1:] {
		if strings.Contains(block, `alertname="`+alert+`"`) {
			kept = append(kept, block)
		}
	}
	return strings.Join(kept, "\n  - name: ")
}

// deafen gives the expression's last condition a threshold that no value reaches.
func deafen(expr string) string {
	at := max(strings.LastIndex(expr, " > "), strings.LastIndex(expr, " == "))
	return expr[:at] + " > 1e30\n"
}
