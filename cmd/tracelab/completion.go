package main

import (
	"embed"
	"fmt"
)

// completionScripts are the scripts that shells read. They ask the program itself, by its command __complete.
//
//go:embed completion/tracelab.*
var completionScripts embed.FS

// completionCommand is `tracelab completion`.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the shell's script.
func (c *completionCommand) Run(s *streams) error {
	script, err := completionScripts.ReadFile("completion/tracelab." + c.Shell)
	if err != nil {
		return err
	}
	if _, err := s.out.Write(script); err != nil {
		return fmt.Errorf("write the script: %w", err)
	}
	return nil
}
