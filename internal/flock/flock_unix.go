//go:build linux || darwin

package flock

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"tracelab/internal/poll"
)

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
