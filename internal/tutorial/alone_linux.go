package tutorial

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// aloneMark is set in the environment of a process that is to become a shell.
const aloneMark = "TRACELAB_TUTORIAL_ALONE"

// NewShellAlone starts a shell like NewShell, in a network of its own that has nothing but a loopback: whatever ports a page has are free there.
// It starts the calling program once more, whose main must call BecomeShell. It fails where the system does not allow it.
func NewShellAlone(ctx context.Context, dir string, env []string) (*Shell, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if user, group := os.Geteuid(), os.Getegid(); user != 0 { // others may do so in a user namespace only
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: user, HostID: user, Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: group, HostID: group, Size: 1}}
		attributes.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN} // else it is lost by exec
	}
	return start(exec.CommandContext(ctx, program), dir, append(env[:len(env):len(env)], aloneMark+"=1"), attributes)
}

// BecomeShell turns a process that NewShellAlone started into the shell. In any other it does nothing.
func BecomeShell() error {
	if os.Getenv(aloneMark) == "" {
		return nil
	}
	if err := os.Unsetenv(aloneMark); err != nil {
		return err
	}
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		return err
	}
	return syscall.Exec(shell, []string{"sh"}, os.Environ()) // returns only when it fails
}

func raiseLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }() // nothing was written
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback)
}
