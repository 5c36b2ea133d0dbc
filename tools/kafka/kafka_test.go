//go:build linux || darwin

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kafka runs one command on a folder, and returns the exit status and what was printed.
func kafka(t *testing.T, state, command string, flags ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	code = run(t.Context(), append([]string{command, "-state", state}, flags...), &out, &talk)
	return code, strings.TrimSpace(out.String()), talk.String()
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{nil, 2, "usage"},
		{[]string{"restart"}, 2, `unknown command "restart"`},
		{[]string{"start", "-port", "65536"}, 2, "ports go from"},
		{[]string{"start", "9092"}, 2, "takes no arguments"},
		{[]string{"stop", "-port", "1"}, 2, "-port"},
		{[]string{"start", "-help"}, 0, "-timeout"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.text) || stdout.Len() > 0 {
			t.Errorf("%q gives %d, %q, want %d and %q", c.args, code, stderr.String(), c.code, c.text)
		}
	}
}

func TestNothingRuns(t *testing.T) {
	state := filepath.Join(t.TempDir(), "absent")
	if code, _, text := kafka(t, state, "status"); code != 1 || !strings.Contains(text, "not running") {
		t.Errorf("status gives %d, %q", code, text)
	}
	if code, _, text := kafka(t, state, "stop"); code != 0 || !strings.Contains(text, "not running") {
		t.Errorf("stop gives %d, %q", code, text)
	}
	if _, err := os.Stat(state); err == nil {
		t.Errorf("asking has made %s", state)
	}
}

// TestStalePID names a living process that is no broker in the pid file. Without the lock it must be left alone.
func TestStalePID(t *testing.T) {
	b := broker{dir: t.TempDir()}
	for _, command := range []string{"stop", "status"} {
		if err := b.writePID(process{pid: os.Getpid(), address: "127.0.0.1:1"}); err != nil {
			t.Fatal(err)
		}
		lock, err := b.lock()
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, text := kafka(t, b.dir, command); !strings.Contains(text, "not running") { // a signal would have ended this test
			t.Errorf("%s says %q", command, text)
		}
		if _, err := b.readPID(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left the pid file: %v", command, err)
		}
	}
}

func TestPIDFile(t *testing.T) {
	b := broker{dir: t.TempDir()}
	want := process{pid: 12345, address: "127.0.0.1:9092"}
	if err := b.writePID(want); err != nil {
		t.Fatal(err)
	}
	if got, err := b.readPID(); err != nil || got != want {
		t.Errorf("read %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "12345", "x 127.0.0.1:1", "-1 127.0.0.1:1", "0 127.0.0.1:1", "1 127.0.0.1:1"} { // 0 and −1 are many processes
		if err := os.WriteFile(b.pidFile(), []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := b.readPID(); err == nil {
			t.Errorf("%q is read as %+v, want an error", bad, got)
		}
	}
}

func TestLockIsHeldOnce(t *testing.T) {
	b := broker{dir: t.TempDir()}
	lock, err := b.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.lock(); !errors.Is(err, errHeld) {
		t.Errorf("a second lock gives %v, want %v", err, errHeld)
	}
	if code, _, text := kafka(t, b.dir, "start", "-timeout", "200ms"); code != 1 || !strings.Contains(text, "does not answer") {
		t.Errorf("start beside a silent one gives %d, %q", code, text)
	}
	if code, _, text := kafka(t, b.dir, "stop"); code != 1 || !strings.Contains(text, "being started") {
		t.Errorf("stop without a pid gives %d, %q", code, text)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err = b.lock()
	if err != nil {
		t.Fatalf("lock after close: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStartWithoutWhatItNeeds(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	java := func(script string) string { // a folder with a java command
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "java"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct{ path, port, text string }{
		"port in use":    {os.Getenv("PATH"), port, "port " + port + " is in use"},
		"no java":        {t.TempDir(), "0", "no java found"},
		"old java":       {java(`echo 'openjdk version "11.0.2" 2019-01-15' >&2`), "0", "is java 11, and Kafka 4 needs 17"},
		"unknown java":   {java(`echo hello`), "0", `no version in "hello"`},
		"no maven":       {java(`echo 'openjdk version "17.0.15"' >&2`), "0", "no mvn found"},
		"java that ends": {java(`echo broken >&2; exit 3`), "0", "exit status 3: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", c.path)
			t.Setenv("JAVA_HOME", "")
			t.Setenv("HOME", t.TempDir())
			t.Setenv("XDG_CACHE_HOME", "") // an empty cache, in that home
			state := t.TempDir()
			code, out, text := kafka(t, state, "start", "-port", c.port)
			if code != 1 || out != "" || !strings.Contains(text, c.text) {
				t.Errorf("start gives %d, %q, %q, want 1 and %q", code, out, text, c.text)
			}
			if _, _, text := kafka(t, state, "status"); !strings.Contains(text, "not running") {
				t.Errorf("afterwards status says %q", text)
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
