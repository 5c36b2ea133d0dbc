package tracecontext_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "tracelab/tracecontext"

// A fresh module that takes this one gets the API of OpenTelemetry, and gRPC
// when it takes grpcmeta. It gets no SDK, no Kafka client, and no other module
// of this repository.
func TestAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("calls the go command")
	}
	for pkg, may := range map[string][]string{
		module:               {"go.opentelemetry.io/otel", "github.com/cespare/xxhash"},
		module + "/grpcmeta": {"go.opentelemetry.io/otel", "github.com/cespare/xxhash", "google.golang.org", "golang.org/x"},
	} {
		dir := freshModule(t, pkg)
		for _, got := range strings.Fields(goCommand(t, dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")) {
			allowed := got == "fresh" || got == module || strings.HasPrefix(got, module+"/")
			for _, prefix := range may {
				allowed = allowed || strings.HasPrefix(got, prefix)
			}
			if !allowed || strings.HasPrefix(got, "go.opentelemetry.io/otel/sdk") {
				t.Errorf("who takes %s gets %s", pkg, got)
			}
		}
		goCommand(t, dir, "build", ".")
	}
	// Modules of others know none of this repository, so only go.mod could bring one.
	goMod, err := os.ReadFile("go.mod")
	check(t, err)
	for _, line := range strings.Split(string(goMod), "\n") {
		if strings.Contains(line, path.Dir(module)+"/") && line != "module "+module {
			t.Errorf("go.mod knows another module of this repository: %s", line)
		}
	}
}

// freshModule makes a module with a program that imports pkg, and returns its
// folder. It is given the checksums that this module has.
func freshModule(t *testing.T, pkg string) string {
	t.Helper()
	here, err := filepath.Abs(".")
	check(t, err)
	sums, err := os.ReadFile("go.sum")
	check(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  fmt.Sprintf("module fresh\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, here),
		"go.sum":  string(sums),
		"main.go": fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", pkg),
	} {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// goCommand runs the go command in dir without a network and a workspace.
func goCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
