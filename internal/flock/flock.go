// Package flock takes locks that a process holds as long as it lives, by the name of a file or a folder.
//
// A lock lasts until the last copy of the open file is closed. A child that inherits a copy and never closes it holds the lock exactly as
// long as it runs. A pid cannot tell that: another process may get it later, and a zombie keeps it. The file is never removed, or two
// processes could hold locks of the same name.
package flock

import "errors"

// ErrHeld says that another process, or another open file of this one, has the lock.
var ErrHeld = errors.New("lock is held")
