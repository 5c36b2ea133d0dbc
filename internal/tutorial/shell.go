package tutorial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Shell runs the commands of one page, one after the other, in one shell: the working directory, variables and jobs last.
type Shell struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// stopGrace is how long the jobs of a page may take to end by themselves.
const stopGrace = 5 * time.Second

// endMark ends the output of a command: a control character that no program prints.
const endMark = "\x1e"

// NewShell starts a shell in a folder with an environment. It ends with the context, and its jobs with it; Close ends it sooner.
func NewShell(ctx context.Context, dir string, env []string) (*Shell, error) {
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that the jobs can be ended with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	return &Shell{cmd, in, bufio.NewReader(out)}, nil
}

// Run runs a command and returns what it printed to both its outputs, and its exit status. It fails when the shell has ended.
func (s *Shell) Run(command string) (printed string, status int, err error) {
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '%s%%d\\n' $?\n", command, endMark); err != nil {
		return "", 0, fmt.Errorf("shell: %w", err)
	}
	var text strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		before, after, ended := strings.Cut(line, endMark)
		text.WriteString(before)
		if ended {
			_, err = fmt.Sscanf(after, "%d", &status)
			return text.String(), status, err
		}
		if err != nil {
			return text.String(), 0, fmt.Errorf("the shell ended: %w", err)
		}
	}
}

// Close ends the shell and all that it started.
func (s *Shell) Close() error {
	group := -s.cmd.Process.Pid
	err := syscall.Kill(group, syscall.SIGTERM)
	if closeErr := s.in.Close(); err == nil {
		err = closeErr
	}
	if waitErr := s.cmd.Wait(); !isExit(waitErr) && err == nil {
		err = waitErr
	}
	if killErr := syscall.Kill(group, syscall.SIGKILL); err == nil && !errors.Is(killErr, syscall.ESRCH) {
		err = killErr
	}
	return err
}

// isExit reports whether the shell ended, with whatever status: Close ended it.
func isExit(err error) bool {
	_, exited := errors.AsType[*exec.ExitError](err)
	return err == nil || exited || errors.Is(err, exec.ErrWaitDelay)
}
