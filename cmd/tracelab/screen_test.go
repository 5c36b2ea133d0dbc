package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestScreenWriter(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\ta → b…\n":                  "plain\n\ta → b…\n",
		"\x1b[31mred\x1b[0m \x1b[1;38;5;9mx": "\x1b[31mred\x1b[0m \x1b[1;38;5;9mx",
		"title \x1b]0;mine\x07":              `title \x1b]0;mine\a`,
		"gone \r\x1b[2K\x1b[1A":              `gone \r\x1b[2K\x1b[1A`,
		"c1 \u009b2J, turned \u202e":         `c1 \u009b2J, turned \u202e`,
		"bad \xff end":                       `bad \xff end`,
	} {
		var atOnce, byteByByte bytes.Buffer
		if _, err := (&screenWriter{to: &atOnce}).Write([]byte(in)); err != nil || atOnce.String() != want {
			t.Errorf("%q became %q, %v, want %q", in, atOnce.String(), err, want)
		}
		w := &screenWriter{to: &byteByByte}
		for i := range len(in) {
			if n, err := w.Write([]byte{in[i]}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if byteByByte.String() != want {
			t.Errorf("%q byte by byte became %q, want %q", in, byteByByte.String(), want)
		}
	}
}

// TestNoReportObeysNames: a store and a folder of runs whose names are escapes of a terminal.
func TestNoReportObeysNames(t *testing.T) {
	const clear = "\x1b[2J\x07"
	dir := t.TempDir()
	out := filepath.Join(dir, "out"+clear)
	for _, c := range []struct{ args, says []string }{
		{[]string{"run", "--orders", "1", "--forms", "rest", "--warm-up", "0", "--out", out, "--store", filepath.Join(dir, "store"+clear)}, []string{`store\x1b[2J\a`, `out\x1b[2J\a`}},
		{[]string{"runs", "list", "--out", out}, nil},
		{[]string{"lint", filepath.Join(out, "latest")}, nil},
		{[]string{"journey", filepath.Join(out, "latest")}, nil},
		{[]string{"runs", "prune", "--keep", "1", "--out", out}, []string{`out\x1b[2J\a`}},
	} {
		var text, talk bytes.Buffer
		status := run(t.Context(), c.args, nil, &text, &talk)
		all := text.String() + talk.String()
		if status != exitDone || strings.ContainsAny(all, "\x1b\x07") {
			t.Errorf("%q: status %d, %q, want the name escaped", c.args, status, all)
		}
		for _, says := range c.says {
			if !strings.Contains(all, says) {
				t.Errorf("%q: %q, want %s", c.args, all, says)
			}
		}
	}
}

// TestArgumentsAreText: a name that is not UTF-8 is refused. The parser would make another name of it.
func TestArgumentsAreText(t *testing.T) {
	refused := func(args ...string) {
		t.Helper()
		var text, talk bytes.Buffer
		if status := run(t.Context(), args, nil, &text, &talk); status != exitUsage || !strings.Contains(talk.String(), `"bad\xff.jsonl" is not UTF-8`) {
			t.Errorf("%q: status %d, %q, want it refused", args, status, talk.String())
		}
	}
	refused("journey", "bad\xff.jsonl")
	refused("run", "--flow", "bad\xff.jsonl")
	t.Setenv("TRACELAB_STORE", "bad\xff.jsonl")
	refused("run")
}

// TestALongValueIsNotEchoedWhole: an error is short whatever it quotes, and has its end, where the way out stands.
func TestALongValueIsNotEchoedWhole(t *testing.T) {
	long := strings.Repeat("é", 35_000)
	for _, args := range [][]string{
		{long}, {"run", "--" + long}, {"run", "--forms", long}, {"run", "--fault", long}, {"run", "--rate", long}, {"run", "--event", long}, {"lint", long}, {"compare", long, "b"},
		{"journey", "--where", long, "testdata"}, {"flow", "check", long}, {"redrive", "t", "--kafka", long}, {"serve", long}, {"run", "--flow", strings.Repeat("a\n", 35_000)},
	} {
		var out, talk bytes.Buffer
		if status := run(t.Context(), args, nil, &out, &talk); status == exitDone || talk.Len() == 0 || talk.Len()+out.Len() > 8000 || !utf8.Valid(talk.Bytes()) {
			t.Errorf("%.20q: exit status %d, %d and %d bytes: %.300s", args, status, out.Len(), talk.Len(), talk.String())
		}
	}
	if got := visible(strings.Repeat("x", 5000) + ": use --this"); !strings.HasSuffix(got, "x: use --this") || !strings.Contains(got, " … 3012 bytes are left out … ") {
		t.Errorf("%q", got)
	}
}
