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

// waits makes loops of a page end that wait in vain. They all sleep, and sleep fails once a job of an earlier command has ended, or when a command has
// slept too often; either ends the shell, after the last lines of all logs. jobs_left drops what the command before has ended itself.
const waits = `sleep() {
  slept=$((slept + 1))
  for job in $jobs; do
    kill -0 "$job" 2>/dev/null || give_up "what an earlier command started in the background has ended"
  done
  [ "$slept" -le 900 ] || give_up "waited in vain"
  command sleep "$@"
}
give_up() {
  echo "$1"
  tail -n 5 ./*.log 2>/dev/null
  trap '' TERM
  kill -TERM 0 # a job may hold the output open
  exit 1
}
jobs_left() {
  left= slept=0
  for job in $jobs; do if kill -0 "$job" 2>/dev/null; then left="$left $job"; fi; done
  jobs=$left
  if [ "${1:-}" != "$last_job" ]; then last_job=$1 jobs="$jobs $1"; fi
}
jobs= slept=0 last_job=
`

// NewShell starts a shell in a folder with an environment. It ends with the context, and its jobs with it; Close ends it sooner.
func NewShell(ctx context.Context, dir string, env []string) (*Shell, error) {
	return start(exec.CommandContext(ctx, "sh"), dir, env, &syscall.SysProcAttr{})
}

// start starts a command that is, or becomes, a shell. It has a process group of its own, so that the jobs can be ended with it.
func start(cmd *exec.Cmd, dir string, env []string, attributes *syscall.SysProcAttr) (*Shell, error) {
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, env, attributes
	cmd.SysProcAttr.Setpgid = true
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
	shell := &Shell{cmd, in, bufio.NewReader(out)}
	if printed, status, err := shell.Run(waits); err != nil || status != 0 {
		return nil, errors.Join(fmt.Errorf("shell: status %d: %s", status, strings.TrimSpace(printed)), err, shell.Close())
	}
	return shell, nil
}

// Run runs a command and returns what it printed to both its outputs, and its exit status. It fails when the shell has ended, as it does when a
// loop of the command waits in vain.
func (s *Shell) Run(command string) (printed string, status int, err error) {
	if _, err := fmt.Fprintf(s.in, "%s\nprintf '%s%%d\\n' $?; jobs_left $!\n", command, endMark); err != nil {
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
			return text.String(), 0, fmt.Errorf("the shell ended: %w; last it printed\n%s", err, ends(text.String()))
		}
	}
}

// ends returns the last lines of a text.
func ends(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
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
