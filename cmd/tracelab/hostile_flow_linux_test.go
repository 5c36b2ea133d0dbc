package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"tracelab/internal/poll"
)

// hostileFlow is a file that is no flow that can run.
type hostileFlow struct {
	name string                  // of the file
	text string                  // of the file, unless make makes it
	make func(path string) error // nil: a file with the text
	want string                  // of what the command says
	exit int                     // of flow check
}

// flowWith is a flow of these steps and forms.
func flowWith(steps, forms string) string {
	return "flow: parcel\nsteps:\n" + steps + "forms:\n" + forms
}

const (
	deskAndScale = "  desk.Take: {wait: 1ms}\n  scale.Weigh: {after: desk.Take, message: parcel.taken, wait: 2ms}\n"
	byCalls      = "  grpc: {each: grpc}\n"
)

// manySteps are steps one behind the other.
func manySteps(n int) string {
	var b strings.Builder
	b.WriteString("  s0.Do: {wait: 1ms}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "  s%d.Do: {after: s%d.Do}\n", i, i-1)
	}
	return b.String()
}

// bomb is a text that doubles itself with each line.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return b.String()
}

func hostileFlows() []hostileFlow {
	sparse := func(path string) error {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return os.Truncate(path, 1<<30)
	}
	link := func(to string) func(string) error { return func(path string) error { return os.Symlink(to, path) } }
	return []hostileFlow{
		{"cycle.yaml", flowWith("  desk.Take: {wait: 1ms}\n  a.Do: {after: b.Do}\n  b.Do: {after: a.Do}\n", byCalls), nil, `cycle\.yaml:4:3: .*circle: a\.Do after b\.Do after a\.Do: take one`, exitNotSo},
		{"nothing.yaml", flowWith("  desk.Take: {wait: 1ms}\n  a.Do: {after: }\n", byCalls), nil, `nothing\.yaml:4:\d+: .*after`, exitNotSo},
		{"ghost.yaml", flowWith("  desk.Take: {wait: 1ms}\n  a.Do: {after: ghost.Step}\n", byCalls), nil, `ghost\.yaml:4:\d+: .*no step "ghost\.Step": use one of`, exitNotSo},
		{"two.yaml", flowWith("  desk.Take: {wait: 1ms}\n  a.Do: {wait: 1ms}\n", byCalls), nil, `two\.yaml:4:3: .*a second entry: .*say what this one comes after`, exitNotSo},
		{"carrier.yaml", flowWith(deskAndScale, "  grpc: {}\n"), nil, `carrier\.yaml:6:9: .*it is empty: write`, exitNotSo},
		{"one.yaml", flowWith(deskAndScale, "  grpc: {scale.Weigh: grpc}\n"), nil, `one\.yaml:6:3: .*nothing says what carries desk\.Take: name its carrier`, exitNotSo},
		{"pigeon.yaml", flowWith(deskAndScale, "  grpc: {each: pigeon}\n"), nil, `pigeon\.yaml:6:\d+: .*use one of http`, exitNotSo},
		{"steps.yaml", flowWith(manySteps(10_000), byCalls), nil, `steps\.yaml:2001:1: more than 2000 lines: a flow has at most 200 steps, so leave`, exitNotSo},
		{"line.yaml", "flow: parcel\nsteps: {" + strings.ReplaceAll(manySteps(10_000), "\n", ", ") + "}\n", nil, `line\.yaml: more than 256 KiB: a flow has at most 200 steps, so leave`, exitNotSo},
		{"topic.yaml", flowWith(strings.Replace(deskAndScale, "parcel.taken", "'../etc passwd'", 1), byCalls), nil, `topic\.yaml:4:\d+: .*no topic has that name: use letters`, exitNotSo},
		{"bomb.yaml", bomb() + flowWith(deskAndScale, byCalls), nil, `bomb\.yaml:1:\d+: anchors .* are not read: write it out`, exitNotSo},
		{"bytes.yaml", "flow: par\xffcel\n\x80", nil, `bytes\.yaml: the file is not UTF-8: save it`, exitNotSo},
		{"escape.yaml", flowWith("  \"\\e[31mdesk.Take\": {wait: 1ms}\n", byCalls), nil, `escape\.yaml:3:3: .*is no step: write SERVICE\.Verb`, exitNotSo},
		{"control.yaml", flowWith("  desk\x1b[2J.Take: {wait: 1ms}\n", byCalls), nil, `control\.yaml:3:\d+: .*control character U\+001B.*leave it out`, exitNotSo},
		{"turned.yaml", flowWith("  desk\u202e.Take: {wait: 1ms}\n", byCalls), nil, `turned\.yaml:3:3: .*is no step`, exitNotSo},
		{"\x1b[31mred\u202e.yaml", "flow: 1\n", nil, `\\x1b\[31mred\\u202e\.yaml:1:\d+: flow: `, exitNotSo},
		{"fifo.yaml", "", func(path string) error { return syscall.Mkfifo(path, 0o644) }, `fifo\.yaml: it is a pipe that nobody writes to: name a file`, exitUnread},
		{"zero.yaml", "", link("/dev/zero"), `zero\.yaml: it is a device or a socket: name a file`, exitUnread},
		{"memory.yaml", "", link("/proc/self/mem"), `memory\.yaml: .*: name a file that can be read`, exitUnread},
		{"folder.yaml", "", func(path string) error { return os.Mkdir(path, 0o755) }, `folder\.yaml: it is a directory: name a file`, exitUnread},
		{"sparse.yaml", "", sparse, `sparse\.yaml: more than 256 KiB: a flow has at most 200 steps, so leave`, exitNotSo},
		{"circular.yaml", "", link("circular.yaml"), `circular\.yaml: too many levels`, exitUnread},
		{"closed.yaml", "", func(path string) error { return os.WriteFile(path, []byte("flow: 1\n"), 0) }, `closed\.yaml: permission denied`, exitUnread},
	}
}

// TestHostileFlowsByCommand: whatever a file is, flow check and run say what is wrong with it, where, and the way out, before anything starts, without
// waiting for anybody and in little memory. What they print has no control characters.
func TestHostileFlowsByCommand(t *testing.T) {
	for _, h := range hostileFlows() {
		if h.name == "closed.yaml" && os.Geteuid() == 0 { // root may read it
			continue
		}
		dir := t.TempDir()
		path := filepath.Join(dir, h.name)
		if h.make == nil {
			h.make = func(path string) error { return os.WriteFile(path, []byte(h.text), 0o644) }
		}
		if err := h.make(path); err != nil {
			t.Fatal(err)
		}
		runs := filepath.Join(dir, "runs")
		for _, c := range []struct {
			exit int
			args []string
		}{
			{h.exit, []string{"flow", "check", path}},
			{max(h.exit, exitUsage), []string{"run", "--flow", path, "--out", runs}},
		} {
			text := endsSoon(t, c.args, c.exit)
			joined := strings.Join(strings.Fields(text), " ") // lines are wrapped
			if !regexp.MustCompile(h.want).MatchString(joined) {
				t.Errorf("%s %s %q: %s, want %s", c.args[0], c.args[1], h.name, text, h.want)
			}
			if strings.ContainsAny(text, "\x1b\u202e\x00") || !utf8.ValidString(text) {
				t.Errorf("%s %q prints %q", c.args[0], h.name, text)
			}
		}
		if _, err := os.Stat(runs); err == nil {
			t.Errorf("%q: a run has begun", h.name)
		}
	}
}

// endsSoon runs a command that must end with a status, and returns what it wrote.
func endsSoon(t *testing.T, args []string, want int) string {
	t.Helper()
	const within, most = 20 * time.Second, 64 << 20 // on a busy machine; bytes
	var out bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ended := make(chan int, 1)
	go func() { ended <- run(t.Context(), args, nil, &out, &out) }()
	select {
	case got := <-ended:
		if got != want {
			t.Errorf("%q: exit status %d, want %d", args, got, want)
		}
	case <-time.After(within):
		t.Fatalf("%q has not ended after %v", args, within)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%q: allocated %d MiB", args, used>>20)
	}
	return out.String()
}

// TestAFlowFromAPipe: a flow may come by a pipe that somebody writes to.
func TestAFlowFromAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_RDWR, 0) // which needs no reader
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.WriteString(flowWith(deskAndScale, byCalls)); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() {
		taken := poll.Until(t.Context(), time.Millisecond, func(context.Context) error { // what nobody has taken is gone with the last one who has it open
			left, err := unix.IoctlGetInt(int(writer.Fd()), unix.TIOCINQ)
			if left > 0 {
				return fmt.Errorf("%d bytes wait in the pipe", left)
			}
			return err
		})
		closed <- errors.Join(taken, writer.Close())
	}()
	if text := endsSoon(t, []string{"flow", "check", path}, exitDone); !strings.Contains(text, "flow parcel: 3 steps of 2 services") {
		t.Errorf("printed %s", text)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
