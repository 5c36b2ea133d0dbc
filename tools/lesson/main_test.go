package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const page = "# Two\n\nQuestion: what comes?\n\n```console\n$ echo wait 2 ms\nwait 3 ms\n```\n\n- `wait`: 1 ms to 5 ms\n\n```console stack\n$ false\n```\n"

func TestLesson(t *testing.T) {
	docs := t.TempDir()
	for name, text := range map[string]string{"2-two.md": page, "3-three.md": strings.Replace(page, "1 ms to 5", "3 ms to 5", 1), "10-ten.md": page} {
		if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, lesson string
		prints       []string
		fails        string
	}{
		{"right", "2", []string{"Question: what comes?", "$ echo wait 2 ms\n[Enter runs it] wait 2 ms\n[as the page shows]", "[wait: yes]", "(not run here: console stack)", `That was "Two"`}, ""},
		{"by name", "2-two", []string{`That was "Two"`}, ""},
		{"outside of a range", "3", []string{"wait is 2 ms, which is not 3 ms to 5 ms"}, "1 times the output was not"},
		{"unknown", "7", nil, `no lesson "7": there are 2-two, 3-three, 10-ten`},
		{"no number", "", nil, "there are 2-two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := run(t.Context(), []string{"-docs", docs, "-program", "/bin/sh", c.lesson}, strings.NewReader("\n\n"), &out)
			if (c.fails == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %v, want %q", err, c.fails)
			}
			for _, want := range c.prints {
				if !strings.Contains(out.String(), want) {
					t.Errorf("prints\n%s\nwant %q", out.String(), want)
				}
			}
		})
	}
}
