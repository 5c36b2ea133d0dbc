package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/poll"
)

// started is a process of tracelab that places orders.
type started struct {
	*exec.Cmd
	out   bytes.Buffer
	ended chan error
}

// heedInterrupts lets programs that the test starts end by an interrupt. A shell starts its background jobs with interrupts ignored, and so do
// those jobs; a signal that is caught here has its default effect there.
func heedInterrupts(t *testing.T) {
	t.Helper()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt)
	t.Cleanup(func() { signal.Stop(caught) })
}

// startProgram starts a run, and returns when it has answered an order.
func startProgram(t *testing.T, args ...string) *started {
	t.Helper()
	heedInterrupts(t)
	talk, screen := openTerminal(t, 120)
	s := &started{Cmd: exec.CommandContext(t.Context(), os.Args[0], args...), ended: make(chan error, 1)}
	s.Env, s.Stdout, s.Stderr = append(os.Environ(), "TERM=xterm", asProgram+"=1", "GORACE=atexit_sleep_ms=0"), &s.out, talk
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := talk.Close(); err != nil {
		t.Error(err)
	}
	placing := make(chan error, 1)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		lines := bufio.NewReader(screen)
		for {
			line, err := lines.ReadString('K') // the end of what erases a line
			if strings.Contains(line, "placing orders: ") || err != nil {
				placing <- err
				break
			}
		}
		_, _ = io.Copy(io.Discard, lines) // ends with an error, because the program has gone
	}()
	go func() { s.ended <- s.Wait() }()
	t.Cleanup(func() {
		_ = s.Process.Kill()
		<-shown
		_ = screen.Close()
	})
	if err := <-placing; err != nil {
		t.Fatalf("the run ended before it placed an order: %v", err)
	}
	return s
}

// TestInterrupts holds what a person's Ctrl-C does to a run: the first one ends it early, with its report, the second one
// at once, and nothing of the run is left.
func TestInterrupts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	t.Run("the first", func(t *testing.T) {
		s := startProgram(t, "run", "--orders", "100000", "--forms", "rest", "--warm-up", "0", "--rate", "40", "--out", filepath.Join(folder, "early"))
		if err := s.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err := <-s.ended
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitNotSo || !strings.Contains(s.out.String(), "ENDED EARLY") {
			t.Errorf("ended with %v and this report:\n%s", err, s.out.String())
		}
	})
	t.Run("the second", func(t *testing.T) {
		out := filepath.Join(folder, "at-once")
		// Some orders are answered; the others hang.
		s := startProgram(t, "run", "--orders", "1000", "--forms", "rest", "--warm-up", "0", "--rate", "40", "--timeout", "1m",
			"--fault", "shipping:hang=30s@0.5", "--out", out)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		// A signal counts as the second one only when the first has arrived.
		err := poll.Until(ctx, 20*time.Millisecond, func(context.Context) error {
			select {
			case err := <-s.ended:
				return poll.Stop(err)
			default:
				return errors.Join(errors.New("it goes on"), s.Process.Signal(os.Interrupt))
			}
		})
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatalf("ended with %v, want a signal", err)
		}
		if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGINT || s.out.Len() > 0 {
			t.Errorf("ended with %v and %d bytes of a report, want %v and none", err, s.out.Len(), syscall.SIGINT)
		}
		if runs, err := filepath.Glob(filepath.Join(out, "2*")); err != nil || len(runs) > 0 {
			t.Errorf("left %q, %v", runs, err)
		}
	})
}
