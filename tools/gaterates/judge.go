package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// judge returns the outcome of a limit: pass, fail or undecided, and whether the machine had no CPU left in one of the runs.
func judge(ctx context.Context, program, limit, key, base, other string) (string, error) {
	cmd := exec.CommandContext(ctx, program, "compare", base, other, "--fail-on", limit, "--pair", key, "--format", "json")
	out, failed := cmd.Output() // exit status 1 is an outcome
	var report struct {
		Gate     struct{ Outcome string }
		Warnings []string
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return "", fmt.Errorf("compare %s %s: %w (%w)", base, other, err, failed)
	}
	if slices.ContainsFunc(report.Warnings, func(w string) bool { return strings.Contains(w, "(!)") }) {
		return report.Gate.Outcome + ", starved", nil
	}
	return report.Gate.Outcome, nil
}
