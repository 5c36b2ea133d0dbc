//go:build linux || darwin

package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/flock"
	"tracelab/internal/parts"
	"tracelab/internal/testkit"
)

// TestAnotherProgramsPIDIsLeftAlone records the id of a process that is none of ours, as if ours had ended and the system had given its id away.
func TestAnotherProgramsPIDIsLeftAlone(t *testing.T) {
	other, err := parts.Start(t.Context(), parts.Command{Name: "other", Path: "/bin/sleep", Args: []string{"60"}, Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Kill() }()
	l := layout{state: t.TempDir()}
	if err := l.writeState(State{Parts: []Part{{Name: "jaeger", PID: other.PID(), Grace: time.Second, Log: filepath.Join(l.state, "log")}}}); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	o := Options{State: l.state, Progress: &progress}
	_, report, err := Report(t.Context(), o)
	if err != nil || len(report) != 1 || report[0].Runs {
		t.Errorf("status %+v, %v: want one part that has ended", report, err)
	}
	if err := Stop(t.Context(), o); err != nil || !strings.Contains(progress.String(), "had ended already") {
		t.Errorf("stop: %v, %q", err, progress.String())
	}
	if err := syscall.Kill(other.PID(), 0); err != nil {
		t.Errorf("the other program is gone: %v", err)
	}
	if again, err := l.readState(); err != nil || len(again.Parts) > 0 {
		t.Errorf("left after a stop: %+v, %v", again, err)
	}
}

// TestWhatDoesNotStopIsKilled starts a part that ignores SIGTERM, with its lock as launch gives it.
func TestWhatDoesNotStopIsKilled(t *testing.T) {
	l := layout{state: t.TempDir()}
	lock, err := flock.Try(l.lock("deaf"))
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(l.state, "log")
	deaf, err := parts.Start(t.Context(), parts.Command{Name: "deaf", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"},
		Log: log, Detached: true, Files: []*os.File{lock}})
	if err := errors.Join(err, lock.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Kill() })
	testkit.Await(t, "the script begins", 10*time.Second, func(context.Context) error {
		if last := parts.Tail(log, 1); last != "up" {
			return errors.New(last)
		}
		return nil
	})
	if err := l.writeState(State{Parts: []Part{{Name: "deaf", PID: deaf.PID(), Grace: 200 * time.Millisecond, Log: log}}}); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	if _, err := Start(t.Context(), Options{State: l.state, Progress: &progress}); !errors.Is(err, ErrRuns) {
		t.Errorf("%v, want %v", err, ErrRuns)
	}
	err = Stop(t.Context(), Options{State: l.state, Progress: &progress})
	if err == nil || !strings.Contains(err.Error(), "stop deaf") || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("stop: %v, want that it was killed", err)
	}
	<-deaf.Done()
}

// TestWhatHasEndedIsStartedAgain has a stack of two scripts that answer as healthy parts do, and kills one.
func TestWhatHasEndedIsStartedAgain(t *testing.T) {
	healthy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer healthy.Close()
	l := layout{state: t.TempDir()}
	if err := os.Mkdir(filepath.Join(l.state, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	state := State{Addresses: map[string]string{"TRACELAB_TARGET": healthy.URL}}
	var progress bytes.Buffer
	options := Options{State: l.state, Progress: &progress}
	t.Cleanup(func() {
		if err := Stop(context.Background(), options); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"one", "other"} {
		part, err := l.startPart(t.Context(), Part{Name: name, Health: healthy.URL, Log: l.log(name), Grace: time.Second,
			Path: "/bin/sh", Args: []string{"-c", `echo "$WORD"; exec sleep 60`}, Env: []string{"WORD=" + name}}, &progress)
		if err != nil {
			t.Fatal(err)
		}
		state.Parts = append(state.Parts, part)
	}
	if err := l.writeState(state); err != nil {
		t.Fatal(err)
	}
	logged := func(want string) {
		t.Helper()
		testkit.Await(t, "it has its environment", 10*time.Second, func(context.Context) error {
			if log := parts.Tail(l.log("other"), 5); log != want {
				return errors.New(log)
			}
			return nil
		})
	}
	logged("other")
	if err := syscall.Kill(state.Parts[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, "the lock is free", 10*time.Second, func(context.Context) error {
		if _, ended, err := l.whatEnded(); err != nil || !slices.Equal(ended, []string{"other"}) {
			return errors.Join(err, fmt.Errorf("ended: %q", ended))
		}
		return nil
	})
	again, err := Start(t.Context(), options)
	if err != nil || !strings.Contains(progress.String(), "other           had ended: starting it again") {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if again.Parts[0].PID != state.Parts[0].PID || again.Parts[1].PID == state.Parts[1].PID || again.Addresses["TRACELAB_TARGET"] != healthy.URL {
		t.Errorf("before %+v\nafter %+v", state, again)
	}
	_, report, err := Report(t.Context(), options)
	if err != nil || len(report) != 2 || !report[0].Runs || !report[1].Runs || report[1].PID != again.Parts[1].PID {
		t.Errorf("status %+v, %v", report, err)
	}
	logged("other\nother")
}
