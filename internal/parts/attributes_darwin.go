package parts

import "syscall"

// attributes puts the program into a group of its own; a detached one into a session of its own, too, without the terminal. macOS
// cannot bind a child's life to its parent's: a parent that is killed leaves it.
func attributes(detached bool) *syscall.SysProcAttr {
	if detached {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true}
}
