package otelamqp_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tracelab/otelamqp"
)

// linked are the modules that a program takes in with otelamqp: amqp091-go and
// OpenTelemetry's API with the conventions, and what these need.
var linked = []string{
	otelamqp.ScopeName,
	"github.com/cespare/xxhash/v2",
	"github.com/go-logr/logr",
	"github.com/go-logr/stdr",
	"github.com/rabbitmq/amqp091-go",
	"go.opentelemetry.io/auto/sdk",
	"go.opentelemetry.io/otel",
	"go.opentelemetry.io/otel/log",
	"go.opentelemetry.io/otel/metric",
	"go.opentelemetry.io/otel/trace",
}

// A fresh module that takes otelamqp alone links amqp091-go and OpenTelemetry and
// has nothing else of this repository in its graph.
func TestFreshModule(t *testing.T) {
	dir := t.TempDir()
	here, err := os.Getwd()
	check(t, err)
	sums, err := os.ReadFile("go.sum")
	check(t, err)
	for name, text := range map[string]string{
		"go.mod":  fmt.Sprintf("module example.com/fresh\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n", otelamqp.ScopeName, otelamqp.ScopeName, here),
		"go.sum":  string(sums),
		"main.go": fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", otelamqp.ScopeName),
	} {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}

	got := goTool(t, dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	got = slices.DeleteFunc(got, func(m string) bool { return m == "example.com/fresh" })
	want := slices.Sorted(slices.Values(linked))
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("modules that a program links (-want +got):\n%s", diff)
	}
	// What else is in the graph comes from tests, by way of otelamqp's go.mod.
	ours := path.Dir(otelamqp.ScopeName) + "/"
	for _, word := range goTool(t, dir, "mod", "edit", "-print", filepath.Join(here, "go.mod")) {
		if word != otelamqp.ScopeName && (strings.HasPrefix(word+"/", ours)) {
			t.Errorf("go.mod names %s: a fresh module would have it in its graph", word)
		}
	}
}

// goTool returns the words that the go command prints, sorted, each once. It
// needs no network.
func goTool(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, stderr.String())
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return slices.Compact(lines)
}
