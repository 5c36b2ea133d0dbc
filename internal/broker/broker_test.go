//go:build linux || darwin

package broker

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tracelab/internal/server"
)

// kafka runs one command on a folder, on a free port and within some time, and returns what was returned and said.
func kafka(t *testing.T, b Broker, command string, within time.Duration) (server.Process, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), within, fmt.Errorf("not within %v", within))
	defer cancel()
	var progress bytes.Buffer
	var p server.Process
	var err error
	switch command {
	case "start":
		p, err = b.Start(ctx, &progress)
	case "status":
		p, err = b.Status(ctx, &progress)
	default:
		err = b.Stop(ctx, &progress)
	}
	return p, progress.String(), err
}

// says holds for an error with that text in it.
func says(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

func TestNothingRuns(t *testing.T) {
	b := Broker{Dir: filepath.Join(t.TempDir(), "absent")}
	if _, _, err := kafka(t, b, "status", time.Minute); !says(err, "not running") {
		t.Errorf("status: %v", err)
	}
	if _, text, err := kafka(t, b, "stop", time.Minute); err != nil || !strings.Contains(text, "not running") {
		t.Errorf("stop: %v, %q", err, text)
	}
	if _, err := os.Stat(b.Dir); err == nil {
		t.Errorf("asking has made %s", b.Dir)
	}
}

func TestStartWithoutWhatItNeeds(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	java := func(script string) string { // a folder with a java command
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "java"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		path string
		port int
		text string
	}{
		"port in use":    {os.Getenv("PATH"), port, fmt.Sprintf("port %d is in use", port)},
		"no java":        {t.TempDir(), 0, "no java found"},
		"old java":       {java(`echo 'openjdk version "11.0.2" 2019-01-15' >&2`), 0, "is java 11, and Kafka 4 needs 17"},
		"unknown java":   {java(`echo hello`), 0, `no version in "hello"`},
		"no maven":       {java(`echo 'openjdk version "17.0.15"' >&2`), 0, "no mvn found"},
		"java that ends": {java(`echo broken >&2; exit 3`), 0, "exit status 3: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", c.path)
			t.Setenv("JAVA_HOME", "")
			t.Setenv("HOME", t.TempDir())
			t.Setenv("XDG_CACHE_HOME", "") // an empty cache, in that home
			b := Broker{Dir: t.TempDir(), Port: c.port}
			if _, _, err := kafka(t, b, "start", time.Minute); !says(err, c.text) {
				t.Errorf("start: %v, want %q", err, c.text)
			}
			if _, _, err := kafka(t, b, "status", time.Minute); !says(err, "not running") {
				t.Errorf("afterwards status says %v", err)
			}
		})
	}
}

func TestJavaVersion(t *testing.T) {
	for output, want := range map[string]int{
		"openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment": 17,
		`java version "1.8.0_392"`:                    8,
		`openjdk version "26" 2026-03-17`:             26,
		"Picked up X\nopenjdk version \"21-ea\" 2023": 21,
	} {
		if got, err := javaVersion(output); err != nil || got != want {
			t.Errorf("%q is version %d, %v, want %d", output, got, err, want)
		}
	}
	if got, err := javaVersion("command not found"); err == nil {
		t.Errorf("no version is read as %d", got)
	}
}
