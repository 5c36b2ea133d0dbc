//go:build !linux

package tutorial

import (
	"context"
	"errors"
)

// NewShellAlone fails: only Linux has networks of a process's own.
func NewShellAlone(context.Context, string, []string) (*Shell, error) {
	return nil, errors.ErrUnsupported
}

// BecomeShell does nothing: NewShellAlone starts no process.
func BecomeShell() error { return nil }
