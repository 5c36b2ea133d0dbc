package parts

import "syscall"

// attributes puts the program into a group of its own; a detached one into a session of its own, too, without the terminal. The others
// are killed with the thread that starts them.
func attributes(detached bool) *syscall.SysProcAttr {
	if detached {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
