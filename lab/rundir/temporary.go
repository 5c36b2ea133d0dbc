package rundir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tracelab/internal/flock"
)

// temporaryPrefix begins the names of the directories of runs that are not whole yet. Each is locked as long as its writer
// lives.
const temporaryPrefix = ".writing-"

// makeTemporary makes a locked directory. Another process may take one for a leftover between the two steps; then it makes
// another.
func makeTemporary(out string) (dir string, lock *os.File, err error) {
	for {
		if dir, err = os.MkdirTemp(out, temporaryPrefix+"*"); err != nil {
			return "", nil, err
		}
		lock, err = flock.TryFolder(dir)
		switch {
		case errors.Is(err, flock.ErrHeld) || errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", nil, errors.Join(err, os.Remove(dir))
		case isAt(lock, dir):
			return dir, lock, nil
		}
		if err := lock.Close(); err != nil {
			return "", nil, err
		}
	}
}

// isAt tells whether a name still leads to an open file.
func isAt(f *os.File, name string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(name)
	return err == nil && os.SameFile(open, there)
}

// removeLeftovers removes the temporary directories that nobody writes to any more. One that cannot be removed stays: no
// run fails for it.
func removeLeftovers(out string) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), temporaryPrefix) {
			continue
		}
		dir := filepath.Join(out, entry.Name())
		lock, err := flock.TryFolder(dir)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}
