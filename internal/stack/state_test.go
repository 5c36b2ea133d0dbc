//go:build linux || darwin

package stack

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/parts"
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
	var talk bytes.Buffer
	o := Options{State: l.state, Talk: &talk}
	_, report, err := Report(t.Context(), o)
	if err != nil || len(report) != 1 || report[0].Runs {
		t.Errorf("status %+v, %v: want one part that has ended", report, err)
	}
	if err := Stop(t.Context(), o); err != nil || !strings.Contains(talk.String(), "had ended already") {
		t.Errorf("stop: %v, %q", err, talk.String())
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
	lock, err := takeLock(l.lock("deaf"))
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
	for deadline := time.Now().Add(10 * time.Second); parts.Tail(log, 1) != "up"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the script does not begin")
		}
	}
	if err := l.writeState(State{Parts: []Part{{Name: "deaf", PID: deaf.PID(), Grace: 200 * time.Millisecond, Log: log}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.nothingRuns(); !errors.Is(err, ErrRuns) {
		t.Errorf("%v, want %v", err, ErrRuns)
	}
	var talk bytes.Buffer
	err = Stop(t.Context(), Options{State: l.state, Talk: &talk})
	if err == nil || !strings.Contains(err.Error(), "stop deaf") || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("stop: %v, want that it was killed", err)
	}
	<-deaf.Done()
}
