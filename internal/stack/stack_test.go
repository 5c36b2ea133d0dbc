//go:build stack && (linux || darwin)

package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/stack"
	"tracelab/internal/testkit"
)

// TestStack starts everything on free ports, with a watcher, looks at it, places orders, kills a part, and stops the rest.
func TestStack(t *testing.T) {
	var progress bytes.Buffer
	t.Setenv("STORE", "postgres://postgres@postgres:5432/postgres")
	options := stack.Options{Root: root(t), State: openFolder(t), FreePorts: true, Watch: true, Progress: &progress}
	t.Cleanup(func() { // whatever happened; a stop that finds nothing is no error
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := stack.Stop(ctx, options); err != nil {
			t.Error(err)
		}
	})
	state, err := stack.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	t.Logf("\n%s", progress.String())
	want := []string{"analytics", "collector", "gateway", "inventory", "jaeger", "kafka", "notification", "orders", "payment", "postgres", "prometheus", "rabbitmq", "shipping", "watcher"}
	if got := names(state.Parts); !slices.Equal(got, want) {
		t.Fatalf("parts %v, want %v", got, want)
	}
	addressesAreWritten(t, options, state)
	if _, err := stack.Start(t.Context(), options); !errors.Is(err, stack.ErrRuns) {
		t.Errorf("a second start: %v, want %v", err, stack.ErrRuns)
	}
	allWell(t, options)
	ordersAreJudged(t, options, state)
	killed := []string{"payment", "rabbitmq"} // the latter leaves a process of its own, its port mapper
	for _, name := range killed {
		if err := syscall.Kill(part(t, state, name).PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	namesWhatEnded(t, options, killed...)
	again, err := stack.Start(t.Context(), options)
	if err != nil || part(t, again, "kafka").PID != part(t, state, "kafka").PID {
		t.Fatalf("a start beside a stack without %q: %v, %+v", killed, err, again.Parts)
	}
	for _, name := range killed {
		if part(t, again, name).PID == part(t, state, name).PID {
			t.Errorf("%s was not started again: %+v", name, again.Parts)
		}
	}
	allWell(t, options)
	verdictsAreMeasured(t, state)
	state.Parts = append(state.Parts, again.Parts...) // to look for all of them after the stop
	if err := stack.Stop(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	nothingIsLeft(t, options, state)
	if err := stack.Stop(t.Context(), options); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

// openFolder is a folder that every user can enter: PostgreSQL is run by one of its own.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "tracelab-stack-") //nolint:usetesting // the folders of t.TempDir are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func names(list []stack.Part) []string {
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

func part(t *testing.T, state stack.State, name string) stack.Part {
	t.Helper()
	for _, p := range state.Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s", name)
	return stack.Part{}
}

// addressesAreWritten compares addresses.json with what Start returned.
func addressesAreWritten(t *testing.T, o stack.Options, state stack.State) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.State, "addresses.json"))
	var written map[string]string
	if err == nil {
		err = json.Unmarshal(text, &written)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"TRACELAB_TARGET", "TRACELAB_JAEGER", "TRACELAB_OTLP", "TRACELAB_PROMETHEUS", "KAFKA_ADDR", "RABBITMQ_ADDR"} {
		if written[key] == "" || written[key] != state.Addresses[key] {
			t.Errorf("%s is %q in addresses.json and %q otherwise", key, written[key], state.Addresses[key])
		}
	}
}

func allWell(t *testing.T, o stack.Options) {
	t.Helper()
	_, report, err := stack.Report(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range report {
		if !s.Runs || s.Trouble != "" || s.RSS < 1<<20 || s.Uptime <= 0 {
			t.Errorf("%s: runs %v, trouble %q, %d bytes, up %s", s.Name, s.Runs, s.Trouble, s.RSS, s.Uptime)
		}
	}
}

// namesWhatEnded waits until the status has seen that these parts ended, and wants it to say nothing of the others.
func namesWhatEnded(t *testing.T, o stack.Options, want ...string) {
	t.Helper()
	testkit.Await(t, "the status names what ended", 10*time.Second, func(ctx context.Context) error {
		_, report, err := stack.Report(ctx, o)
		if err != nil {
			return err // it may have ended between two looks
		}
		var ended []string
		for _, s := range report {
			if !s.Runs {
				ended = append(ended, s.Name)
			}
		}
		slices.Sort(ended)
		if !slices.Equal(ended, want) {
			return fmt.Errorf("ended: %v, want %v alone", ended, want)
		}
		return nil
	})
}

// nothingIsLeft looks at the process ids and the ports.
func nothingIsLeft(t *testing.T, o stack.Options, state stack.State) {
	t.Helper()
	for _, p := range state.Parts {
		if err := syscall.Kill(p.PID, 0); !errors.Is(err, syscall.ESRCH) && !zombie(p.PID) {
			t.Errorf("%s, pid %d, is still there: %v", p.Name, p.PID, err)
		}
	}
	mapper, err := flock.Try(filepath.Join(o.State, "rabbitmq", "epmd.lock")) // of RabbitMQ, which outlives its node
	if err != nil {
		t.Errorf("RabbitMQ's port mapper: %v", err)
	} else {
		_ = mapper.Close()
	}
	for key, address := range state.Addresses {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			address = u.Host
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		_ = listener.Close()
	}
}

// zombie holds for a process that has ended and that its parent, this test, has not looked at yet.
func zombie(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// TestAFailedStartLeavesNothing gives Prometheus a data folder that it cannot use; other parts run by then.
func TestAFailedStartLeavesNothing(t *testing.T) {
	var progress bytes.Buffer
	options := stack.Options{Root: root(t), State: t.TempDir(), FreePorts: true, Progress: &progress}
	data := filepath.Join(options.State, "volumes", "prometheus-data")
	if err := errors.Join(os.MkdirAll(data, 0o755), os.WriteFile(filepath.Join(data, "wal"), []byte("no folder"), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := stack.Start(t.Context(), options)
	for _, want := range []string{"start prometheus", "its log", "not a directory"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	for _, want := range []string{"stopping what was started", "kafka           stopped", "jaeger          stopped"} {
		if !strings.Contains(progress.String(), want) {
			t.Errorf("no %q in\n%s", want, progress.String())
		}
	}
	if _, report, err := stack.Report(t.Context(), options); err != nil || len(report) != 0 {
		t.Errorf("status afterwards: %v, %v", report, err)
	}
}
