package rundir

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// writeBuffer is the size of the buffer in front of each file, in bytes.
const writeBuffer = 64 << 10

// Place is where a document stands in a file of spans.
type Place struct {
	Offset int64 // of its first byte
	Length int   // in bytes, without the line break
}

// Writer writes a run directory while the run goes on. The directory has a temporary name until Commit, so one with the
// name of a run is whole. A Writer is for one goroutine. Create makes one; a zero Writer writes nothing.
type Writer struct {
	out, name string
	temporary string
	lock      *os.File             // of the temporary directory; it tells Prepare that its writer lives
	files     map[string]*spanFile // by form
}

// spanFile is an open file of spans.
type spanFile struct {
	file *os.File
	w    *bufio.Writer
	size int64
}

// Create begins the directory of the run with that name, in out, which exists.
func Create(out, name string) (*Writer, error) {
	temporary, lock, err := makeTemporary(out)
	if err != nil {
		return nil, fmt.Errorf("run directory in %s: %w", out, err)
	}
	w := &Writer{out: out, name: name, temporary: temporary, lock: lock, files: map[string]*spanFile{}}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return nil, errors.Join(fmt.Errorf("run directory in %s: %w", out, err), w.Abandon())
	}
	return w, nil
}

var errNotCreated = errors.New("no run directory was begun: make its writer with Create")

// Append adds one OTLP/JSON document to a form's file, or to that of Shared spans.
func (w *Writer) Append(form string, document []byte) (Place, error) {
	f, err := w.spans(form)
	if err != nil {
		return Place{}, err
	}
	place := Place{Offset: f.size, Length: len(document)}
	f.size += int64(len(document)) + 1
	// A bufio.Writer keeps its first error for the next call.
	_, _ = f.w.Write(document)
	if err := f.w.WriteByte('\n'); err != nil {
		return Place{}, fmt.Errorf("write the spans of %s: %w", form, err)
	}
	return place, nil
}

// ReadAt reads back a document that Append has written.
func (w *Writer) ReadAt(form string, at Place) ([]byte, error) {
	f, ok := w.files[form]
	if !ok {
		return nil, fmt.Errorf("read the spans of %s: nothing was written", form)
	}
	if err := f.w.Flush(); err != nil {
		return nil, fmt.Errorf("write the spans of %s: %w", form, err)
	}
	document := make([]byte, at.Length)
	if _, err := f.file.ReadAt(document, at.Offset); err != nil {
		return nil, fmt.Errorf("read the spans of %s: %w", form, err)
	}
	return document, nil
}

// spans opens a form's file when its first span comes.
func (w *Writer) spans(form string) (*spanFile, error) {
	if f, ok := w.files[form]; ok {
		return f, nil
	}
	if w.files == nil {
		return nil, errNotCreated
	}
	if form == "" || strings.HasPrefix(form, ".") || form != filepath.Base(form) {
		return nil, fmt.Errorf("write the spans of %q: a form's name becomes the name of a file", form)
	}
	file, err := os.Create(filepath.Join(w.temporary, form+spansSuffix))
	if err != nil {
		return nil, fmt.Errorf("write run directory: %w", err)
	}
	f := &spanFile{file: file, w: bufio.NewWriterSize(file, writeBuffer)}
	w.files[form] = f
	return f, nil
}

// Commit writes the orders and the manifest, gives the directory its name, and points "latest" at it. When it fails it
// leaves nothing behind.
func (w *Writer) Commit(orders iter.Seq[Order], manifest any) (err error) {
	if w.files == nil {
		return errNotCreated
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abandon())
		}
	}()
	if err := w.close(); err != nil {
		return err
	}
	if err := writeLines(filepath.Join(w.temporary, ordersFile), orders); err != nil {
		return err
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", manifestFile, err)
	}
	if err := os.WriteFile(filepath.Join(w.temporary, manifestFile), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", manifestFile, err)
	}
	dir := filepath.Join(w.out, w.name)
	if err := os.Rename(w.temporary, dir); err != nil {
		return fmt.Errorf("run directory %s: %w", dir, err)
	}
	if err := w.lock.Close(); err != nil {
		return fmt.Errorf("run directory %s: %w", dir, err)
	}
	return point(w.out, w.name)
}

// Abandon removes what was written.
func (w *Writer) Abandon() error {
	if w.files == nil {
		return nil
	}
	err := errors.Join(w.close(), os.RemoveAll(w.temporary))
	if closed := w.lock.Close(); !errors.Is(closed, fs.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// close flushes and closes the files of spans.
func (w *Writer) close() error {
	var errs []error
	for form, f := range w.files {
		if err := errors.Join(f.w.Flush(), f.file.Close()); err != nil {
			errs = append(errs, fmt.Errorf("write the spans of %s: %w", form, err))
		}
	}
	clear(w.files)
	return errors.Join(errs...)
}

// writeLines writes a file with a JSON text a line.
func writeLines[T any](name string, lines iter.Seq[T]) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write run directory: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffer := bufio.NewWriterSize(file, writeBuffer)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(true)
	for line := range lines {
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("write %s: %w", filepath.Base(name), err)
		}
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(name), err)
	}
	return nil
}

// point makes "latest" lead to the newest run, in one step.
func point(out, name string) error {
	link := filepath.Join(out, latestLink)
	next := link + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Symlink(name, next); err != nil {
		if runtime.GOOS == "windows" { // where few may make links: then the run is found by its name
			return nil
		}
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	if err := os.Rename(next, link); err != nil {
		return fmt.Errorf("point %s at %s: %w", link, name, err)
	}
	return nil
}
