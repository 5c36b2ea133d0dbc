package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutation whose line has changed would break nothing. Whether a test notices each of them takes minutes to find out,
// and is task mutate.
func TestMutationsFitTheirFiles(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutations() {
		text, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.from); n != 1 {
			t.Errorf("%s: %s has %d times %q, want once", m.rule, m.file, n, m.from)
		}
		if m.from == m.to || seen[m.rule] {
			t.Errorf("%s: it changes nothing, or stands there twice", m.rule)
		}
		seen[m.rule] = true
	}
}
