//go:build linux || darwin

package parts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
)

// Command is a program to start.
type Command struct {
	Name     string   // for errors
	Path     string   // the program
	Args     []string // its arguments, without the program's name
	Env      []string // KEY=VALUE, added to this process's own environment; the later of two wins
	Dir      string   // its working directory; empty means this process's
	Log      string   // the file that its output is added to
	Detached bool     // it outlives this process and the context that it was started with; else it ends with the first of them to end

	Files []*os.File          // open files that it inherits, from 3 on
	As    *syscall.Credential // the user that it runs as; nil: this process's
}

// Process is a program that was started. Its methods may be called from several goroutines.
type Process struct {
	name    string
	log     string
	process *os.Process
	asked   atomic.Bool // Stop or Kill was called: an end is no surprise
	done    chan struct{}
	status  error // set before done is closed
}

// Start starts the program in a process group of its own, so that Ctrl-C in a terminal reaches this process alone, which then stops
// its children in the right order. The program is killed when ctx ends or when this process does (on Linux however that ends),
// unless it is detached.
func Start(ctx context.Context, c Command) (*Process, error) {
	if c.Log == "" {
		return nil, fmt.Errorf("start %s: no log file is named for it: its output would be lost", c.Name)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	command := exec.CommandContext(ctx, c.Path, c.Args...)
	if c.Detached {
		command = exec.Command(c.Path, c.Args...)
	}
	command.Env = append(os.Environ(), c.Env...)
	command.Dir = c.Dir
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = c.Files
	command.SysProcAttr = attributes(c.Detached)
	command.SysProcAttr.Credential = c.As
	p := &Process{name: c.Name, log: c.Log, done: make(chan struct{})}
	started := make(chan error)
	go p.run(command, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return p, nil
}

// run starts the command and waits for its end on one thread that belongs to it alone: the kernel ends a child that is bound to its
// parent when the parent's thread ends, not the whole parent.
func (p *Process) run(command *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		started <- err
		return
	}
	p.process = command.Process
	started <- nil
	p.status = command.Wait()
	close(p.done)
}

// PID returns the process id. After Done it may belong to another program.
func (p *Process) PID() int { return p.process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the program ended, with the end of its log: nil as long as it runs, when it ended by itself with status 0, and when
// Stop or Kill ended it.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	if p.status == nil || p.asked.Load() {
		return nil
	}
	return fmt.Errorf("%s ended: %w; its log %s ends with\n%s", p.name, p.status, p.log, p.LogTail(20))
}

// Stop asks the program to end (SIGTERM) and waits until it has. When ctx ends first it is killed, which is an error, as is a program
// that answers with a failure. One that has ended already is no error.
func (p *Process) Stop(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	p.asked.Store(true)
	if err := p.process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stop %s (pid %d): it did not end on SIGTERM: %w: it was killed; its log is %s", p.name, p.PID(), context.Cause(ctx), p.log), p.Kill())
	}
	if p.status == nil || endedBySIGTERM(p.status) {
		return nil
	}
	return fmt.Errorf("stop %s: %w; its log %s ends with\n%s", p.name, p.status, p.log, p.LogTail(10))
}

// Kill ends the program at once (SIGKILL) and waits until it is gone. One that has ended already is no error.
func (p *Process) Kill() error {
	p.asked.Store(true)
	if err := p.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return nil
}

// endedBySIGTERM holds for a program that the signal ended, or that says so itself as a shell counts (Java: 128+15).
func endedBySIGTERM(status error) bool {
	var exit *exec.ExitError
	if !errors.As(status, &exit) {
		return false
	}
	wait, ok := exit.Sys().(syscall.WaitStatus)
	return ok && (wait.Signaled() && wait.Signal() == syscall.SIGTERM || wait.ExitStatus() == 128+int(syscall.SIGTERM))
}

// LogTail returns what Tail does of the program's log.
func (p *Process) LogTail(n int) string { return Tail(p.log, n) }

// tailBytes is how much of a log's end is read.
const tailBytes = 64 << 10

// Tail returns n lines of the end of a file, as far as they are among its last 64 KiB, or why it cannot be read: the last ones, or, where it ends with the
// crash of a Go program, those from the reason on, since the calls that led to it are more than anybody asks for.
func Tail(file string, n int) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(max(0, size-tailBytes), io.SeekStart)
	}
	text, readErr := io.ReadAll(f)
	if err := errors.Join(err, readErr); err != nil {
		return err.Error()
	}
	if crash := crashed.FindAllIndex(text, -1); len(crash) > 0 && strings.HasPrefix(lastLines(string(text), 1), "\t") { // where a call was made
		return firstLines(string(text[crash[len(crash)-1][0]:]), n)
	}
	return lastLines(string(text), n)
}

// crashed finds where the Go runtime says why it ends a program.
var crashed = regexp.MustCompile(`(?m)^(panic|fatal error): .*\n(.*\n)*?goroutine \d+ `)

func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n")
}
