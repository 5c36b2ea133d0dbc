package main

import (
	"slices"

	"github.com/alecthomas/kong"
)

// helpCommand is `tracelab help`.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"A command, such as run or flow from; without one, all of them." placeholder:"COMMAND"`
}

// Run prints the help of the command.
func (c *helpCommand) Run(ctx *kong.Context, s *streams) error {
	_, err := ctx.Parse(append(slices.Clone(c.Command), "--help"))
	if s.answered {
		return nil // whatever is missing for the command to run
	}
	return usageError{err}
}
