//go:build linux || darwin

package flock_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"tracelab/internal/flock"
)

func TestALockIsHeldOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	lock, err := flock.Try(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flock.Try(name); !errors.Is(err, flock.ErrHeld) {
		t.Errorf("a second lock gives %v, want %v", err, flock.ErrHeld)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := flock.Wait(short, name); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, flock.ErrHeld) {
		t.Errorf("waiting in vain gives %v", err)
	}
	waited := make(chan error, 1)
	go func() {
		second, err := flock.Wait(t.Context(), name)
		if err == nil {
			err = second.Close()
		}
		waited <- err
	}()
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Errorf("waiting gives %v", err)
	}
	if _, err := flock.Wait(t.Context(), filepath.Join(t.TempDir(), "absent", "lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there gives %v", err)
	}
}
