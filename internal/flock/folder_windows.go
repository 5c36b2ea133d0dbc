package flock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// TryFolder takes the lock of a folder, or returns ErrHeld. The lock stays with the folder when it is renamed. It is the folder itself, opened so that nobody
// else can open it for reading meanwhile; what is in it can be used, and the folder be renamed.
func TryFolder(name string) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	handle, err := windows.CreateFile(path, windows.GENERIC_READ, windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, ErrHeld
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(handle), name), nil
}
