package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tracelab/internal/hint"
)

// wholeFile is a file that a command writes: it has its name only when it is whole. Until then the name ends in .part. What is no regular file, such as
// a device or a pipe, is written as it stands: giving its name to a file would take it away from everybody.
type wholeFile struct {
	*os.File
	path string // where it is to stand, without symbolic links; "": it stands there already
}

// createWhole opens a file for writing, in place of one that has the name. It fails for a folder, and where no file can be made.
func createWhole(path string) (*wholeFile, error) {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved // a link goes on to lead to the file
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a folder: name a file, such as %s", hint.Quote(path), hint.Quote(filepath.Join(path, "NAME")))
	case err == nil && !info.Mode().IsRegular():
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &wholeFile{File: file}, err
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	file, err := os.Create(path + ".part")
	return &wholeFile{File: file, path: path}, err
}

// commit closes the file and gives it its name.
func (f *wholeFile) commit() error {
	if err := f.Close(); err != nil || f.path == "" {
		return err
	}
	return os.Rename(f.Name(), f.path)
}

// abandon closes the file and removes it. After commit it does nothing.
func (f *wholeFile) abandon() {
	if f.Close() == nil && f.path != "" {
		_ = os.Remove(f.Name()) // what is left of it has a name that says so
	}
}
