package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestManualPage reads the page as man does, where groff is there, and looks for every command and flag.
func TestManualPage(t *testing.T) {
	text := output(t, "man")
	if again := output(t, "man"); again != text {
		t.Error("two pages of one program differ")
	}
	shown := text
	if groff, err := exec.LookPath("groff"); err == nil {
		file := filepath.Join(t.TempDir(), "tracelab.1")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), groff, "-Kutf8", "-Tutf8", "-P-cbou", "-man", "-ww", "-rLL=200n", file)
		var wrong strings.Builder
		command.Stderr = &wrong
		out, err := command.Output()
		if err != nil || wrong.Len() > 0 {
			t.Fatalf("%v: %s", err, wrong.String())
		}
		shown = strings.NewReplacer("‐", "-", "−", "-").Replace(string(out))
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXAMPLES", "ENVIRONMENT", "EXIT STATUS"} {
		if !strings.Contains(shown, section) {
			t.Errorf("no section %s", section)
		}
	}
	for _, command := range leaves(t) {
		if !strings.Contains(shown, pathOf(command)) {
			t.Errorf("%s is not in the page", pathOf(command))
		}
		for _, flag := range command.Flags {
			if !strings.Contains(shown, "--"+flag.Name) {
				t.Errorf("%s --%s is not in the page", pathOf(command), flag.Name)
			}
		}
	}
	for _, wrong := range []string{"%!", "__complete"} {
		if strings.Contains(shown, wrong) {
			t.Errorf("%q is in the page", wrong)
		}
	}
}
