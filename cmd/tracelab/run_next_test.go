package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNextOfAFlowFromAFile: what a run of a person's own flow says to do next works as it is pasted, from another folder, whatever the file's name
// has in it and whatever built-in flow is called the same.
func TestNextOfAFlowFromAFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "my flows")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "it's mine.yaml")
	text := "flow: order\nunit: piece\nsteps:\n  a.Take: {wait: 1ms}\n  b.Make: {after: a.Take, wait: 1ms}\nforms:\n  grpc: {each: grpc}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, talk bytes.Buffer
	if status := run(t.Context(), []string{"run", "--flow", file, "--orders", "1", "--warm-up", "0", "--out", t.TempDir()}, nil, &out, &talk); status != exitDone {
		t.Fatalf("exit status %d: %s%s", status, out.String(), talk.String())
	}
	_, next, _ := strings.Cut(out.String(), "Next:\n")
	line := ""
	for l := range strings.Lines(next) {
		if strings.Contains(l, "--fault") {
			line = l
		}
	}
	command, _, _ := strings.Cut(line, "   one slow service")
	_, command, _ = strings.Cut(command, " run --flow ")
	quoted := "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	before, after, ok := strings.Cut(command, quoted)
	if !ok || strings.TrimSpace(before) != "" {
		t.Fatalf("next: %q, want the file in quotes, %s", line, quoted)
	}
	t.Chdir(t.TempDir())
	out.Reset()
	args := append([]string{"run", "--flow", file, "--orders", "1", "--warm-up", "0"}, strings.Fields(after)...)
	if status := run(t.Context(), args, nil, &out, &talk); status != exitDone || !strings.Contains(strings.Join(args, " "), "--fault b:delay") {
		t.Errorf("%q: exit status %d: %s%s", args, status, out.String(), talk.String())
	}
}
