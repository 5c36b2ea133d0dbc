//go:build stack && (linux || darwin)

package stack_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/parts"
)

// TestImage builds our image from a program that is built here, as no base image is pulled, and runs the seven services from it with
// the user, limits and addresses of compose.yaml. They have no Kafka, so an order of a form that calls is placed. A watcher from it judges a trace. It is the one test that
// is left out where its part is missing: a Docker engine needs rights that not every machine gives.
func TestImage(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "docker", "info").CombinedOutput(); err != nil {
		t.Skipf("LEFT OUT: no Docker engine answers here, so the image is checked by its files only (docker info: %v: %s)", err, lastLine(out))
	}
	c, err := load(t, root(t), true)
	if err != nil {
		t.Fatal(err)
	}
	unique := "tracelab-test-" + strings.ToLower(rand.Text()[:8])
	image := buildImage(t, c, unique)
	docker(t, "network", "create", unique)
	t.Cleanup(func() { docker(t, "network", "rm", unique) })
	docker(t, "volume", "create", unique)
	t.Cleanup(func() { docker(t, "volume", "rm", unique) })
	for _, name := range seven {
		runService(t, c.all.Services[name], image, unique)
	}
	gateway := "http://" + docker(t, "port", unique+"-gateway", "18080/tcp")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, path := range []string{"/healthz", "/readyz"} {
		if err := parts.AwaitHTTP(ctx, gateway+path); err != nil {
			t.Fatalf("%v\n%s", err, docker(t, "logs", unique+"-gateway"))
		}
	}
	placeOrder(t, gateway, "grpc", http.StatusCreated)
	imageWatches(t, c, image)
	for _, name := range seven {
		container := unique + "-" + name
		if got := docker(t, "inspect", "-f", "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.State.OOMKilled}}", container); got != "10001:10001 true [ALL] [no-new-privileges:true] false" {
			t.Errorf("%s: %s", name, got)
		}
		if got := docker(t, "top", container, "-o", "pid,uid"); !strings.HasSuffix(got, " 10001") {
			t.Errorf("%s runs as %q", name, got)
		}
	}
	began := time.Now()
	if code := docker(t, "stop", "-t", "15", unique+"-gateway"); code == "" || docker(t, "inspect", "-f", "{{.State.ExitCode}}", unique+"-gateway") != "0" {
		t.Errorf("gateway did not end well on a stop, after %s:\n%s", time.Since(began), docker(t, "logs", unique+"-gateway"))
	}
}

// buildImage builds the stage prebuilt.
func buildImage(t *testing.T, c composeFile, tag string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, "tracelab"), "./cmd/tracelab")
	build.Dir = c.root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	docker(t, "build", "--target", "prebuilt", "-t", tag, "-f", filepath.Join(c.root, "Dockerfile"), folder)
	t.Cleanup(func() { docker(t, "rmi", tag) })
	t.Logf("image: %s bytes, %s", docker(t, "image", "inspect", "-f", "{{.Size}}", tag), docker(t, "image", "inspect", "-f", "{{len .RootFS.Layers}} layers", tag))
	return tag
}

// runService runs a service as compose does, but on a free port, and without Kafka, the collector and Pyroscope.
func runService(t *testing.T, s types.ServiceConfig, image, network string) {
	t.Helper()
	args := []string{"run", "-d", "--name", network + "-" + s.Name, "--network", network, "--network-alias", s.Name, "-p", "127.0.0.1:0:" + strconv.FormatUint(uint64(lowest(s.Ports)), 10)}
	for _, volume := range s.Volumes {
		args = append(args, "-v", network+":"+volume.Target) // the network and the volume have one name
	}
	args = append(args, confined(s)...)
	for key := range s.Environment {
		switch key {
		case "TRACELAB_KAFKA", "TRACELAB_OTLP", "TRACELAB_PYROSCOPE":
		default:
			args = append(args, "-e", key+"="+value(s, key))
		}
	}
	docker(t, append(append(args, image), s.Command...)...)
	t.Cleanup(func() { docker(t, "rm", "-f", network+"-"+s.Name) })
}

// confined is what compose allows a service, as flags of `docker run`.
func confined(s types.ServiceConfig) []string {
	args := []string{"--user", s.User, "--memory", strconv.FormatInt(int64(s.MemLimit), 10)}
	for _, capability := range s.CapDrop {
		args = append(args, "--cap-drop", capability)
	}
	for _, option := range s.SecurityOpt {
		args = append(args, "--security-opt", option)
	}
	if s.ReadOnly {
		args = append(args, "--read-only")
	}
	return args
}

// imageWatches has a watcher in a container judge one trace, out of a Kafka on this machine's own 127.0.0.1.
func imageWatches(t *testing.T, c composeFile, image string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "otlp_spans"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	kafka := cluster.ListenAddrs()[0]
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const span = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"GET /",` +
		`"startTimeUnixNano":"1000","endTimeUnixNano":"2000"}]}]}]}`
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "otlp_spans", Value: []byte(span)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s := c.all.Services["watcher"]
	name := image + "-watcher"
	t.Cleanup(func() { docker(t, "rm", "-f", name) })
	args := append([]string{"run", "-d", "--name", name, "--network", "host"}, confined(s)...)
	docker(t, append(args, image, s.Command[0], "--kafka", kafka, "--until-end", "--quiet", "4100ms")...)
	code := docker(t, "wait", name)
	if said := docker(t, "logs", name); code != "0" || !strings.Contains(said, "1 records read = 1 decoded; 1 spans\n1 traces seen = 1 judged\n") {
		t.Errorf("the watcher ended with status %s:\n%s", code, said)
	}
}

func lowest(ports []types.ServicePortConfig) (port uint32) {
	for _, p := range ports {
		if port == 0 || p.Target < port {
			port = p.Target
		}
	}
	return port
}

// placeOrder places an order, and wants it to be answered with a status: of a form that calls, it is finished then.
func placeOrder(t *testing.T, gateway, form string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/orders", strings.NewReader(`{"customer":"ada","sku":"cup","quantity":1}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Baggage", "tracelab.run.id=test,tracelab.form="+form+",tracelab.order.number=1,tracelab.seed=1")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil || answer.StatusCode != status {
		t.Errorf("an order of the form %s: %s %s (%v), want %d", form, answer.Status, body.String(), err, status)
	}
}

// docker runs a command of the docker client and returns what it prints, trimmed. Clean-up runs it when the test's own context has ended.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, "docker", args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatal(fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, stderr.String()))
	}
	if args[0] == "logs" {
		return stdout.String() + stderr.String()
	}
	return strings.TrimSpace(stdout.String())
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
