package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// writeSome writes a file as the commands do.
func writeSome(path, text string) error {
	file, err := createWhole(path)
	if err != nil {
		return err
	}
	defer file.abandon()
	if _, err := file.WriteString(text); err != nil {
		return err
	}
	return file.commit()
}

// TestAPipeIsWrittenAndStays: a device would be no device any more under another file's name.
func TestAPipeIsWrittenAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // for reading alone it would wait for a writer
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	if err := writeSome(path, "text"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Fatalf("it is %v now, %v", info.Mode(), err)
	}
	if _, err := io.ReadFull(pipe, got); err != nil || string(got) != "text" {
		t.Errorf("%q came through it, %v", got, err)
	}
}

// TestALinkLeadsToTheFile that is written.
func TestALinkLeadsToTheFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	if err := writeSome(link, "new"); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("the file has %q, %v", text, err)
	}
}

// TestAFolderIsNoFile is said before anything is done, and nothing is left.
func TestAFolderIsNoFile(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "x.yaml")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeSome(folder, "text"); err == nil || !strings.Contains(err.Error(), "is a folder: name a file") {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// TestAFileThatIsNotWholeHasNoName: what stood there stays.
func TestAFileThatIsNotWholeHasNoName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := createWhole(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	file.abandon()
	if text, err := os.ReadFile(path); err != nil || string(text) != "old" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if _, err := os.Stat(path + ".part"); !os.IsNotExist(err) {
		t.Errorf("the half is left: %v", err)
	}
}
