package tutorial

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const example = "# One\n\nText.\n\n```console\n$ echo a \\\n> b\na b\n$ false\n```\n\n- `caller wait` of `kafka`: 1 ms to 30 ms\n- `wait`: 2 to 3\n"

func TestParse(t *testing.T) {
	page, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	if page.Title != "One" || len(page.Parts) != 3 {
		t.Fatalf("%q with %d parts, want One with 3", page.Title, len(page.Parts))
	}
	want := []Command{{"echo a \\\nb", 6, []string{"a b"}}, {"false", 9, nil}}
	if diff := cmp.Diff(want, page.Parts[1].Commands); diff != "" {
		t.Error(diff)
	}
	ranges := []Range{{12, "caller wait", "kafka", "1 ms", "30 ms"}, {13, "wait", "", "2", "3"}}
	if diff := cmp.Diff(ranges, page.Parts[2].Ranges); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no block", "# One\n", "no console block"},
		{"nothing run", "```console not run\n$ a\n```\n", "no console block"},
		{"open fence", "```console\n$ a\n", "nothing closes"},
		{"no command", "```console\na\n```\n", "want a command"},
		{"unknown word", "```console maybe\n$ a\n```\n", "console maybe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct{ name, page, printed, want string }{
		{"the same", "a\nb", "a\nb\n", ""},
		{"numbers", "took 3.5 ms [1, 2]", "took 12 µs [1.5, 2]\n", ""},
		{"marks", "wait 3 ms [1, 2]  4 ms", "wait 3 ms [1, 2] (!)  4 ms (!)", ""},
		{"counts", "3", "4", `shows "3", the command prints "4"`},
		{"ids", "trace 983566638dd7cd3ac0a2bdb85770a459", "trace 00000000000000000000000000000001", ""},
		{"pictures", "pay  ███  1 ms", "pay █████████  20 ms", ""},
		{"blanks", "a   b\n\nc", "a b\nc", ""},
		{"elided lines", "a\n…\nd", "a\nb\nc\nd", ""},
		{"elided end", "a\n…", "a\nb\nc", ""},
		{"elided text", "a … d", "a b c d", ""},
		{"other word", "a", "b", `shows "a", the command prints "b"`},
		{"line too many", "a", "a\nb", `prints more than the page shows: "b"`},
		{"line too few", "a\nb", "a", "prints the end"},
		{"elided, and not there", "a\n…\ne", "a\nb", `shows "e"`},
		{"elided text, other end", "a … d", "a b c e", "a b c e"},
		{"nothing shown", "", "a", "prints more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Compare(strings.Split(c.page, "\n"), c.printed)
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	const table = "               rest        kafka\n  caller wait  49.0 ms [1] 3.86 ms [3]\n  orders       25\nµ queue        –           1.5 s\n"
	for _, c := range []struct {
		r    Range
		want string
	}{
		{Range{Row: "caller wait", Column: "kafka", Low: "1 ms", High: "30 ms"}, ""},
		{Range{Row: "caller wait", Column: "rest", Low: "1 ms", High: "30 ms"}, "caller wait of rest is 49.0 ms [1] 3.86 ms [3], which is not"},
		{Range{Row: "orders", Low: "25", High: "25"}, ""},
		{Range{Row: "µ queue", Column: "kafka", Low: "1,000 ms", High: "2 s"}, ""},
		{Range{Row: "tail", Low: "1", High: "2"}, "no tail"},
		{Range{Row: "caller wait", Column: "grpc", Low: "1", High: "2"}, "no caller wait of grpc"},
	} {
		err := c.r.Check(table)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.r, err, c.want)
		}
	}
}

func TestShell(t *testing.T) {
	shell, err := NewShell(t.Context(), t.TempDir(), []string{"PATH=/usr/bin:/bin"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command, want string
		status        int
	}{
		{"x=1; echo out; echo err >&2", "out\nerr\n", 0},
		{"printf %s \"$x\"", "1", 0}, // no line end, and what the command before has left
		{"sh -c 'exit 3'", "", 3},
		{"sleep 600 >/dev/null 2>&1 &", "", 0}, // Close ends it
	} {
		printed, status, err := shell.Run(c.command)
		if err != nil || printed != c.want || status != c.status {
			t.Errorf("%s: %q, status %d, %v; want %q, status %d", c.command, printed, status, err, c.want, c.status)
		}
	}
	began := time.Now()
	if err := shell.Close(); err != nil || time.Since(began) > 2*stopGrace {
		t.Errorf("close: %v after %v", err, time.Since(began))
	}
	if _, _, err := shell.Run("echo"); err == nil {
		t.Error("a closed shell runs commands")
	}
}

func TestUpdate(t *testing.T) {
	text := "# One\n```console\n$ run\na 1\n…\nd 4\n$ other\nkept\n```\n"
	page, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got := Update(text, page, map[int]string{3: "a 10\nb 20\nc 30\nd 40\n", 7: "changed\n"})
	if want := "# One\n```console\n$ run\na 10\n…\nd 40\n$ other\nkept\n```\n"; got != want {
		t.Error(cmp.Diff(want, got))
	}
}
