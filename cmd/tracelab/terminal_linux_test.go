package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"tracelab/journey/format"
	"tracelab/lab"
)

// terminal opens a pseudo-terminal of that many columns, and returns the end that a program writes to, and a function
// that reads what has been written.
func terminal(t *testing.T, columns uint16) (program *os.File, read func() string) {
	t.Helper()
	program, screen := openTerminal(t, columns)
	written := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(screen) // ends with an error, because the other end has gone
		written <- string(text)
	}()
	read = sync.OnceValue(func() string {
		if err := program.Close(); err != nil {
			t.Error(err)
		}
		return <-written
	})
	t.Cleanup(func() { read() })
	return program, read
}

// openTerminal opens a pseudo-terminal: the end that a program writes to, and the one that shows what it has written.
func openTerminal(t *testing.T, columns uint16) (program, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return program, screen
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		color                 bool
	}{
		{"a terminal", "TERM", "xterm", true},
		{"NO_COLOR", "NO_COLOR", "1", false},
		{"a dumb terminal", "TERM", "dumb", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TERM", "xterm")
			t.Setenv("NO_COLOR", "")
			t.Setenv(c.variable, c.value)
			out, _ := terminal(t, 100)
			if look := terminalOf(out); look.Color != c.color || look.Width != 100 {
				t.Errorf("%+v, want color %v and 100 columns", look, c.color)
			}
		})
	}
	if wide, _ := terminal(t, 400); terminalOf(wide).Width != maxWidth {
		t.Errorf("%+v on a terminal of 400 columns, want %d", terminalOf(wide), maxWidth)
	}
	if look := terminalOf(io.Discard); look != (format.Style{Width: pipeWidth}) {
		t.Errorf("%+v in a pipe", look)
	}
}

// TestRunOnATerminal sees progress and colours there, and neither of them with NO_COLOR and in a pipe.
func TestRunOnATerminal(t *testing.T) {
	args := []string{"run", "--orders", "1", "--warm-up", "0", "--forms", "kafka", "--out", t.TempDir()}
	t.Setenv("TERM", "xterm")
	for _, plain := range []bool{false, true} {
		if plain {
			t.Setenv("NO_COLOR", "1")
		} else {
			t.Setenv("NO_COLOR", "")
		}
		out, report := terminal(t, 120)
		talk, progress := terminal(t, 120)
		if status := run(t.Context(), args, nil, out, talk); status != exitDone {
			t.Fatalf("exit status %d", status)
		}
		text := report()
		if colored := strings.Contains(text, "\x1b["); colored == plain {
			t.Errorf("NO_COLOR %v: %q", plain, text)
		}
		if line := progress(); !strings.Contains(line, "placing orders: 1 of 1 answered") || !strings.HasSuffix(line, "\r\x1b[K") {
			t.Errorf("progress %q: it must come, and go", line)
		}
	}
}

// TestListsFitATerminal of 80 columns: whole lines stay for a pipe. URLs and names are not broken, so those here are short.
func TestListsFitATerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	out := t.TempDir()
	runDir := filepath.Join(out, "20260301-120000.000000-1")
	if err := os.Mkdir(runDir, 0o755); err != nil {
		t.Fatal(err)
	}
	manifest := `{"schema":"tracelab.run/v1","run":"20260301-120000.000000-1","flow":"order","faults":["payment:error=payment_declined@0.3","orders:delay=200ms@0.5"]}`
	for name, text := range map[string]string{"run.json": manifest, "orders.jsonl": "", "kafka.otlp.jsonl": "{}\n", "hybrid.otlp.jsonl": "{}\n"} {
		if err := os.WriteFile(filepath.Join(runDir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	doctor := []string{"doctor", "--kafka", "127.0.0.1:1", "--gateway", "http://127.0.0.1:1", "--otlp", "", "--collector", "", "--collector-metrics", "", "--jaeger", "", "--jaeger-health", ""}
	for _, args := range [][]string{{"runs", "list", "--out", out}, {"schema"}, {"flow", "list"}, {"claims"}, {"lint", "--rules"}, doctor} {
		for _, columns := range []uint16{80, 100} {
			program, read := terminal(t, columns)
			var talk strings.Builder
			run(t.Context(), args, nil, program, &talk)
			text := read()
			if strings.Count(text, "\n") < 2 {
				t.Errorf("%s: %q, %q", args[0], text, talk.String())
			}
			for line := range strings.Lines(text) {
				if line = strings.TrimRight(line, "\r\n"); utf8.RuneCountInString(line) > int(columns) {
					t.Errorf("%s: %d columns: %s", strings.Join(args[:min(2, len(args))], " "), utf8.RuneCountInString(line), line)
				}
			}
		}
	}
	var lines strings.Builder
	if status := run(t.Context(), []string{"runs", "list", "--out", out}, nil, &lines, io.Discard); status != exitDone || strings.Count(lines.String(), "\n") != 1 {
		t.Errorf("in a pipe: status %d, %q, want one line", status, lines.String())
	}
}

// TestTimeLeft is told by the pace of the orders that have their answer, and only once there are some.
func TestTimeLeft(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := &progress{}
	for _, c := range []struct {
		stage    string
		answered int
		after    time.Duration
		want     string
	}{
		{lab.StagePlacing, 1, 0, ""},
		{lab.StagePlacing, 10, time.Second, ""},
		{lab.StagePlacing, 11, 2 * time.Second, "; about 18 s left"},
		{lab.StagePlacing, 51, 10 * time.Second, "; about 10 s left"},
		{lab.StagePlacing, 101, 20 * time.Second, ""},
		{lab.StageSettling, 50, 20 * time.Second, ""},
	} {
		if got := p.left(lab.Progress{Stage: c.stage, Answered: c.answered, Orders: 101}, began.Add(c.after)); got != c.want {
			t.Errorf("%s, %d answered after %v: %q, want %q", c.stage, c.answered, c.after, got, c.want)
		}
	}
}

// TestReceiveOnATerminal says how many spans have come, and how much time is left.
func TestReceiveOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	talk, shown := terminal(t, 120)
	run(t.Context(), []string{"receive", "--for", "1ms", "--otlp", twoFreePorts(t), "--out", filepath.Join(t.TempDir(), "spans")}, nil, io.Discard, talk)
	if text := shown(); !strings.Contains(text, "\r\x1b[K0 spans, 0 s left") {
		t.Errorf("%q", text)
	}
}
