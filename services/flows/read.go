package flows

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// pipeTimeout is how long a flow that comes by a pipe is waited for: nobody may write to it.
const pipeTimeout = 5 * time.Second

// ReadFile reads a flow from a file.
func ReadFile(path string) (*Flow, error) {
	content, err := readSome(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, content)
}

// readSome reads a file, up to a little more than a flow may have. Devices, which may have no end, are refused.
func readSome(path string) ([]byte, error) {
	refuse := func(what string) error {
		return fmt.Errorf("flow: %w: name a file that can be read", &fs.PathError{Op: "read", Path: path, Err: errors.New(what)})
	}
	about, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	flag, pipe := os.O_RDONLY, about.Mode()&fs.ModeNamedPipe != 0
	switch {
	case about.IsDir():
		return nil, refuse("it is a directory")
	case pipe:
		flag |= syscall.O_NONBLOCK // opening one that nobody writes to would wait for ever
	case !about.Mode().IsRegular():
		return nil, refuse("it is a device or a socket")
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if pipe {
		_ = file.SetReadDeadline(time.Now().Add(pipeTimeout)) // where the system knows none, the writer's end is waited for
	}
	content, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(fmt.Sprintf("it is a pipe that nobody has closed within %v", pipeTimeout))
	case err != nil:
		return nil, fmt.Errorf("flow: %w: name a file that can be read", err)
	case pipe && len(content) == 0:
		return nil, refuse("it is a pipe that nobody writes to")
	}
	return content, nil
}

// LoadSource reads the YAML of a flow by its name, or from a file.
func LoadSource(nameOrFile string) ([]byte, error) {
	if !IsFile(nameOrFile) {
		return Source(nameOrFile)
	}
	content, err := readSome(nameOrFile)
	if err != nil {
		return nil, err
	}
	_, err = Parse(nameOrFile, content)
	return content, err
}
