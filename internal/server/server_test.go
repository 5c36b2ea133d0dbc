//go:build linux || darwin

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
)

// folder is the folder of a server that is anything at all; it answers as long as silent is nil.
func folder(dir string, silent error) Folder {
	return Folder{Dir: dir, Data: dir, Name: "sleeper", Noun: "bed", Signal: syscall.SIGTERM, Ping: func(context.Context, string) error { return silent }}
}

// begin starts a program in the place of a server.
func begin(f Folder, program ...string) func(context.Context, *os.File) (Process, error) {
	return func(ctx context.Context, lock *os.File) (Process, error) {
		return f.Run(ctx, Process{Address: "127.0.0.1:1"}, parts.Command{Path: program[0], Args: program[1:], Files: []*os.File{lock}})
	}
}

// says holds for an error with that text in it.
func says(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// TestLife starts a program, finds it again, and ends it in both ways. Nothing is left of it.
func TestLife(t *testing.T) {
	f := folder(t.TempDir(), nil)
	var talk bytes.Buffer
	for _, end := range []func() error{func() error { return f.Stop(t.Context(), &talk) }, func() error { return f.Kill(t.Context()) }} {
		first, err := f.Start(t.Context(), &talk, begin(f, "sleep", "100"))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := f.Start(t.Context(), &talk, begin(f, "false")); err != nil || again != first {
			t.Errorf("a second start returns %+v, %v, want %+v", again, err, first)
		}
		if is, err := f.Status(t.Context(), &talk); err != nil || is != first {
			t.Errorf("status gives %+v, %v, want %+v", is, err, first)
		}
		if _, err := folder(f.Dir, errors.New("no answer")).Status(t.Context(), &talk); !says(err, "no answer; its log is ") {
			t.Errorf("status of a silent one: %v", err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Status(t.Context(), &talk); !says(err, "not running") {
			t.Errorf("status afterwards: %v", err)
		}
		if _, err := f.read(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the pid file is left: %v", err)
		}
	}
	for _, words := range []string{"sleeper: started in ", "sleeper: runs already, pid ", "sleeper: running, pid ", "sleeper: stopped pid "} {
		if !strings.Contains(talk.String(), words) {
			t.Errorf("it does not say %q: %s", words, talk.String())
		}
	}
}

// A server that ends while it starts, and one that does not answer in time, leave nothing.
func TestStartFails(t *testing.T) {
	for name, c := range map[string]struct {
		silent  error
		program []string
		says    string
	}{
		"it ends":            {errors.New("no answer"), []string{"sh", "-c", "echo oh no; exit 3"}, "oh no"},
		"it ends well":       {errors.New("no answer"), []string{"sh", "-c", "echo oh yes"}, "ended with status 0"},
		"it does not answer": {errors.New("no answer"), []string{"sleep", "100"}, "sleeper does not answer at 127.0.0.1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			f := folder(t.TempDir(), c.silent)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if name == "it does not answer" {
				ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
			}
			if p, err := f.Start(ctx, t.Output(), begin(f, c.program...)); !says(err, c.says) {
				t.Errorf("%+v, %v, want %q", p, err, c.says)
			}
			if _, err := f.Status(t.Context(), t.Output()); !says(err, "not running") {
				t.Errorf("afterwards status: %v", err)
			}
		})
	}
}

func TestNothingRuns(t *testing.T) {
	f := folder(filepath.Join(t.TempDir(), "absent"), nil)
	if _, err := f.Status(t.Context(), t.Output()); !says(err, "not running") {
		t.Errorf("status: %v", err)
	}
	var talk bytes.Buffer
	if err := f.Stop(t.Context(), &talk); err != nil || !strings.Contains(talk.String(), "not running") {
		t.Errorf("stop: %v, %q", err, talk.String())
	}
	if err := f.Kill(t.Context()); !says(err, "not running") {
		t.Errorf("kill: %v", err)
	}
	if _, err := os.Stat(f.Dir); err == nil {
		t.Errorf("asking has made %s", f.Dir)
	}
}

// TestStalePID names a living process that is no server in the pid file. Without the lock it must be left alone.
func TestStalePID(t *testing.T) {
	f := folder(t.TempDir(), nil)
	for name, ask := range map[string]func() error{
		"stop":   func() error { return f.Stop(t.Context(), t.Output()) },
		"status": func() error { _, err := f.Status(t.Context(), t.Output()); return err },
	} {
		if err := f.write(Process{PID: os.Getpid(), Address: "127.0.0.1:1"}); err != nil {
			t.Fatal(err)
		}
		lock, err := flock.Try(f.LockFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		if err := ask(); err != nil && !says(err, "not running") { // a signal would have ended this test
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.read(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left the pid file: %v", name, err)
		}
	}
}

func TestPIDFile(t *testing.T) {
	f := folder(t.TempDir(), nil)
	for _, want := range []Process{{PID: 12345, Address: "127.0.0.1:9092"}, {PID: 12345, Helper: 12344, Address: "127.0.0.1:5672"}} {
		if err := f.write(want); err != nil {
			t.Fatal(err)
		}
		if got, err := f.read(); err != nil || got != want {
			t.Errorf("read %+v, %v, want %+v", got, err, want)
		}
	}
	for _, bad := range []string{"", "12345", "x 127.0.0.1:1", "-1 127.0.0.1:1", "0 127.0.0.1:1", "1 127.0.0.1:1", "2 x 127.0.0.1:1", "2 -1 127.0.0.1:1", "0 2 127.0.0.1:1", "2 1 127.0.0.1:1", "2 3 4 127.0.0.1:1"} { // 0 and −1 are many processes
		if err := os.WriteFile(f.pidFile(), []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := f.read(); err == nil {
			t.Errorf("%q is read as %+v, want an error", bad, got)
		}
	}
}

// Another process holds the folder, and has not noted itself yet.
func TestSilentNeighbor(t *testing.T) {
	f := folder(t.TempDir(), nil)
	lock, err := flock.Try(f.LockFile())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.Start(ctx, t.Output(), begin(f, "false")); !says(err, "does not answer") || !says(err, "`sleeper stop` ends it") {
		t.Errorf("start beside a silent one: %v", err)
	}
	if err := f.Stop(t.Context(), t.Output()); !says(err, "a bed of "+f.Dir+" is just being started") {
		t.Errorf("stop without a pid: %v", err)
	}
}

func TestAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	if address, err := Address(port); !says(err, fmt.Sprintf("port %d is in use", port)) {
		t.Errorf("%s, %v", address, err)
	}
	if address, err := Address(0); err != nil || !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("%s, %v", address, err)
	}
}
