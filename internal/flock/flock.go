//go:build linux || darwin

// Package flock takes locks that a process holds as long as it lives, by the name of a file or a folder.
//
// A lock lasts until the last copy of the open file is closed. A child that inherits a copy and never closes it holds the lock exactly as
// long as it runs. A pid cannot tell that: another process may get it later, and a zombie keeps it. The file is never removed, or two
// processes could hold locks of the same name.
package flock

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"tracelab/internal/poll"
)

// ErrHeld says that another process, or another open file of this one, has the lock.
var ErrHeld = errors.New("lock is held")

// Try takes the lock of that name, or returns ErrHeld. The folder must exist.
func Try(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

// TryFolder takes the lock of a folder, or returns ErrHeld. The lock stays with the folder when it is renamed.
func TryFolder(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return lock(f)
}

// lock takes the lock of an open file, or closes it.
func lock(f *os.File) (*os.File, error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrHeld
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Wait takes the lock of that name as soon as nobody holds it.
func Wait(ctx context.Context, name string) (*os.File, error) {
	var lock *os.File
	err := poll.Until(ctx, 100*time.Millisecond, func(context.Context) (err error) {
		if lock, err = Try(name); errors.Is(err, ErrHeld) {
			return err
		}
		return poll.Stop(err)
	})
	return lock, err
}
