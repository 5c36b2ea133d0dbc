//go:build linux || darwin

package parts_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tracelab/internal/parts"
	"tracelab/internal/testkit"
	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(testmain.Exit)) }

func shell(t *testing.T, script string) parts.Command {
	t.Helper()
	return parts.Command{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Log: filepath.Join(t.TempDir(), "log")}
}

func start(t *testing.T, ctx context.Context, c parts.Command) *parts.Process {
	t.Helper()
	p, err := parts.Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// awaitText waits until the log has the text in it.
func awaitText(t *testing.T, log, text string) {
	t.Helper()
	testkit.Await(t, log, 10*time.Second, func(context.Context) error {
		if written, err := os.ReadFile(log); err != nil || !strings.Contains(string(written), text) {
			return fmt.Errorf("%q is not in %s", text, parts.Tail(log, 10))
		}
		return nil
	})
}

func TestAProgramGetsItsEnvironmentFolderAndLog(t *testing.T) {
	command := shell(t, `echo "$COLOUR $PWD"; echo to stderr >&2`)
	command.Env = []string{"COLOUR=blue"}
	command.Dir = t.TempDir()
	p := start(t, t.Context(), command)
	<-p.Done()
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	if want := "blue " + command.Dir + "\nto stderr"; p.LogTail(5) != want {
		t.Errorf("log %q, want %q", p.LogTail(5), want)
	}
}

// TestACrashShowsItsReason: of a Go program that crashed, the reason is shown and not the end of the calls; of one that went on, its last lines.
func TestACrashShowsItsReason(t *testing.T) {
	crash := "ready\npanic: no blue\n\ngoroutine 1 [running]:\n" + strings.Repeat("main.f(0x1)\n\t/main.go:5 +0x1d\n", 30)
	for text, want := range map[string]string{
		crash:                        "panic: no blue\n\ngoroutine 1 [running]:",
		crash + "ready\nserving\nup": "ready\nserving\nup",
		"panic: not at all\nup\n":    "panic: not at all\nup",
		"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:\nmain.f()\n\t/main.go:5": "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select]:",
	} {
		log := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := parts.Tail(log, 3); got != want {
			t.Errorf("of %.30q…: %q, want %q", text, got, want)
		}
	}
}

func TestAFailureNamesTheProgramAndShowsItsLog(t *testing.T) {
	p := start(t, t.Context(), shell(t, "echo no such colour; exit 3"))
	<-p.Done()
	err := p.Err()
	for _, want := range []string{"script", "exit status 3", "no such colour"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestWhatCannotStart(t *testing.T) {
	missing := shell(t, "")
	missing.Path = filepath.Join(t.TempDir(), "missing")
	unlogged := shell(t, "true")
	unlogged.Log = ""
	for want, command := range map[string]parts.Command{"missing": missing, "no log file": unlogged} {
		if _, err := parts.Start(t.Context(), command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestStopAsksAndWaits(t *testing.T) {
	for script, want := range map[string]string{
		"trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done": "",
		"trap 'exit 143' TERM; echo up; while :; do sleep 0.01; done":         "", // as Java does
		"echo up; exec sleep 60": "",
		"trap 'echo lost it; exit 4' TERM; echo up; while :; do sleep 0.01; done":    "lost it",
		"trap '' TERM; echo up; while :; do sleep 0.01; done # does not want to end": "it was killed",
	} {
		command := shell(t, script)
		p := start(t, t.Context(), command)
		awaitText(t, command.Log, "up")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := p.Stop(ctx)
		cancel()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: stop: %v, want %q", script, err, want)
		}
		select {
		case <-p.Done():
		default:
			t.Errorf("%s: still runs", script)
		}
		if err := p.Err(); err != nil {
			t.Errorf("%s: an end that was asked for is an error: %v", script, err)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Errorf("%s: a second stop: %v", script, err)
		}
	}
}

func TestProgramsEndWithTheirContextUnlessDetached(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	bound := start(t, ctx, shell(t, "exec sleep 60"))
	free := shell(t, "exec sleep 60")
	free.Detached = true
	detached := start(t, ctx, free)
	cancel()
	<-bound.Done()
	if err := syscall.Kill(detached.PID(), 0); err != nil {
		t.Errorf("the detached program is gone: %v", err)
	}
	if err := detached.Kill(); err != nil {
		t.Error(err)
	}
	if err := detached.Err(); err != nil {
		t.Errorf("killed as asked: %v", err)
	}
}

func TestAwaitHTTPSaysWhatItSawLast(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := asked.Add(1); r.URL.Path == "/never" || n < 3 {
			http.Error(w, "try "+strconv.FormatInt(n, 10), http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := parts.AwaitHTTP(ctx, server.URL+"/soon"); err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times, want 3: %v", asked.Load(), err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := parts.AwaitHTTP(short, server.URL+"/never"); err == nil || !strings.Contains(err.Error(), `503 Service Unavailable "try `) {
		t.Errorf("error %v, want the status and the body", err)
	}
	server.Close()
	refused, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := parts.AwaitHTTP(refused, server.URL); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want refused", err)
	}
	p := start(t, t.Context(), shell(t, "echo bad configuration; exit 1"))
	if err := p.AwaitHTTP(ctx, server.URL); err == nil || !strings.Contains(err.Error(), "bad configuration") {
		t.Errorf("error %v, want the log of the program that ended", err)
	}
}
