//go:build linux || darwin

package rabbitmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/flock"
)

// node runs one command on a folder, on a free port and within some time, and returns what was returned and said.
func node(t *testing.T, n Node, command string, within time.Duration) (Process, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), within, fmt.Errorf("not within %v", within))
	defer cancel()
	var talk bytes.Buffer
	var p Process
	var err error
	switch command {
	case "start":
		p, err = n.Start(ctx, &talk)
	case "status":
		p, err = n.Status(ctx, &talk)
	default:
		err = n.Stop(ctx, &talk)
	}
	return p, talk.String(), err
}

// says holds for an error with that text in it.
func says(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

func TestNothingRuns(t *testing.T) {
	n := Node{Dir: filepath.Join(t.TempDir(), "absent")}
	if _, _, err := node(t, n, "status", time.Minute); !says(err, "not running") {
		t.Errorf("status: %v", err)
	}
	if _, text, err := node(t, n, "stop", time.Minute); err != nil || !strings.Contains(text, "not running") {
		t.Errorf("stop: %v, %q", err, text)
	}
	if err := n.Kill(t.Context()); !says(err, "not running") {
		t.Errorf("kill: %v", err)
	}
	if _, err := os.Stat(n.Dir); err == nil {
		t.Errorf("asking has made %s", n.Dir)
	}
}

// TestStalePID names a living process that is neither a node nor a port mapper in the pid file. Without the locks it must be left alone.
func TestStalePID(t *testing.T) {
	n := Node{Dir: t.TempDir()}
	pidFile := filepath.Join(n.Dir, "rabbitmq.pid")
	for _, command := range []string{"stop", "status"} {
		if err := os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%[1]d\n127.0.0.1:1\n", os.Getpid()), 0o644); err != nil {
			t.Fatal(err)
		}
		lock, err := flock.Try(n.LockFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		_, text, err := node(t, n, command, time.Minute) // a signal would have ended this test
		if !strings.Contains(text, "not running") && !says(err, "not running") {
			t.Errorf("%s says %q, %v", command, text, err)
		}
		if _, err := os.Stat(pidFile); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left the pid file: %v", command, err)
		}
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, n := range []Node{{Port: port}, {Metrics: port}} {
		if _, err := n.choosePorts(); !says(err, fmt.Sprintf("port %d is in use", port)) {
			t.Errorf("%+v: %v", n, err)
		}
	}
}

func TestNoRabbitMQ(t *testing.T) {
	if _, err := home(filepath.Join(t.TempDir(), "rabbitmq_server-*")); !says(err, "apt-get install") {
		t.Errorf("home: %v", err)
	}
	if _, err := (Node{Dir: t.TempDir()}).link(t.TempDir(), "libraries", libraries); !says(err, "library rabbit") {
		t.Errorf("link: %v", err)
	}
}

// A port that is open and says nothing is no broker.
func TestPingOfSilence(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	began := time.Now()
	if err := Ping(t.Context(), silent.Addr().String()); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("ping gives %v after %v", err, time.Since(began))
	}
}
