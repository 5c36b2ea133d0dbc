//go:build stack

package dashboards

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
)

// TestPromQLParses has promtool read every expression, as a recording rule.
func TestPromQLParses(t *testing.T) {
	found, err := Expressions("..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := parse242(t, found); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	found[3].Expr += ")"
	if _, err := parse242(t, found); err == nil {
		t.Error("promtool accepts a bracket that nothing opens")
	}
}

// parse242 is called for promtool 2.42, the oldest that must understand the expressions.
func parse242(t *testing.T, expressions []Expression) (string, error) {
	t.Helper()
	type rule struct{ Record, Expr string }
	rules := make([]rule, len(expressions))
	for i, e := range expressions {
		rules[i] = rule{fmt.Sprintf("expression_%d", i), e.Expr}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "all", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "expressions.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool, err := parts.Promtool()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput()
	return string(out), err
}

// TestCheckFindsWhatFindsNothing asks a real Prometheus that scrapes itself alone. That the dashboards find their series is tested with the
// whole stack, elsewhere: here it is that a misspelt metric would be found.
func TestCheckFindsWhatFindsNothing(t *testing.T) {
	address := startPrometheus(t, nil)
	awaitSeries(t, address, "up")
	real := Expression{File: "dashboards/services.json", Place: `panel "Scrape targets" query A`, Expr: "up"}
	found, err := Expressions("..")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, real) {
		t.Fatalf("%s is not an expression any more", real)
	}
	misspelt := copyWith(t, "services.json", `"expr": "up"`, `"expr": "upp"`)
	for _, c := range []struct {
		name        string
		expressions []Expression
		want        string
	}{
		{"right", []Expression{real}, ""},
		{"misspelt in the file", only(t, misspelt, real.Place), "panel \"Scrape targets\" query A: upp: finds no series"},
		{"misspelt label", []Expression{{Expr: `up{jobb="prometheus"}`}}, "finds no series"},
		{"no PromQL", []Expression{{Expr: "sum(up"}}, "prometheus refuses it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrong := Check(t.Context(), address, c.expressions)
			if got := fmt.Sprint(wrong); (c.want == "") != (len(wrong) == 0) || !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %q", got, c.want)
			}
		})
	}
	withExemplars := Expression{Place: "panel", Expr: "up", Exemplars: true}
	exemplars, wrong := CheckExemplars(t.Context(), address, time.Now().Add(-time.Hour), []Expression{real, withExemplars})
	if len(exemplars) != 0 || len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "exemplar") {
		t.Errorf("a prometheus without exemplars: %v, %v, want one error that speaks of exemplars", exemplars, wrong)
	}
	if wrong := Check(t.Context(), "http://"+testkit.FreePort(t), []Expression{real}); len(wrong) != 1 {
		t.Errorf("nobody answers: %v, want one error", wrong)
	}
}

// startPrometheus starts one that scrapes itself and the addresses of other jobs, every second.
func startPrometheus(t *testing.T, others map[string]string) string {
	t.Helper()
	program, err := parts.Prometheus()
	if err != nil {
		t.Fatal(err)
	}
	dir, listen := t.TempDir(), testkit.FreePort(t)
	config := fmt.Sprintf("scrape_configs: [{job_name: prometheus, scrape_interval: 1s, static_configs: [{targets: ['%s']}]}", listen)
	for job, address := range others {
		config += fmt.Sprintf(", {job_name: %s, scrape_interval: 1s, static_configs: [{targets: ['%s']}]}", job, address)
	}
	config += "]\n"
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	// Not with the test's context, which ends before the cleanup stops it.
	process, err := parts.Start(context.Background(), parts.Command{Name: "prometheus", Path: program, Dir: dir, Log: filepath.Join(dir, "log"),
		Args: []string{"--config.file=prometheus.yaml", "--storage.tsdb.path=data", "--web.listen-address=" + listen}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := process.AwaitHTTP(t.Context(), "http://"+listen+"/-/ready"); err != nil {
		t.Fatal(err)
	}
	return "http://" + listen
}

func awaitSeries(t *testing.T, address, expr string) {
	t.Helper()
	testkit.Await(t, expr, 30*time.Second, func(ctx context.Context) error {
		return errors.Join(Check(ctx, address, []Expression{{Expr: expr}})...)
	})
}

// copyWith returns a root folder with the dashboards and the rules in which one file is changed.
func copyWith(t *testing.T, file, old, new string) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"dashboards", "prometheus"} {
		if err := os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join("..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(root, "dashboards", file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("%s is not in %s any more", old, file)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func only(t *testing.T, root, place string) []Expression {
	t.Helper()
	found, err := Expressions(root)
	if err != nil {
		t.Fatal(err)
	}
	var these []Expression
	for _, e := range found {
		if e.Place == place {
			these = append(these, e)
		}
	}
	return these
}
