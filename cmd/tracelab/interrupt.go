package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

var errInterrupted = errors.New("interrupted")

// readsOnly tells whether a command reads traces and prints what it finds: nothing is lost when it ends in the middle.
func readsOnly(parsed *kong.Context) bool {
	command := parsed.Selected()
	return command != nil && slices.Contains(strings.Fields("journey compare lint predict from"), command.Name)
}

// untilInterrupted does work that looks at no context, such as reading a pipe that nobody writes to, until the context ends. What is left of the
// work ends with the program.
func untilInterrupted(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errInterrupted
	}
}
