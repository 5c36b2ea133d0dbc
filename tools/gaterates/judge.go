package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
)

// judge returns the outcome of a limit: pass, fail or undecided.
func judge(ctx context.Context, program, limit, key, base, other string) (string, error) {
	cmd := exec.CommandContext(ctx, program, "compare", base, other, "--fail-on", limit, "--pair", key, "--format", "json")
	out, failed := cmd.Output() // exit status 1 is an outcome
	var report struct{ Gate struct{ Outcome string } }
	if err := json.Unmarshal(out, &report); err != nil {
		return "", fmt.Errorf("compare %s %s: %w (%w)", base, other, err, failed)
	}
	return report.Gate.Outcome, nil
}
