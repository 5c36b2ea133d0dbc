package rundir

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nameLayout is the time in the name of a run.
const nameLayout = "20060102-150405.000000"

// Entry is a run directory in a folder of them.
type Entry struct {
	Name  string    // of the directory, and of the run
	Began time.Time // in UTC
	Bytes int64     // of all its files
	Forms []string  // that have spans, in the order in which they are shown
	Provenance
}

// Other is what is in a folder of run directories and is none.
type Other struct {
	Name string
	Why  string // it is not taken for one
}

// List lists the run directories of a folder, the newest first, and what else is there. A directory is taken for one when its name is that of the
// run in its manifest, and it has nothing but the files of a run: one that was renamed, or that somebody keeps notes in, is left to its owner.
func List(out string) (runs []Entry, others []Other, err error) {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("no run yet: there is no folder %s; tracelab run makes one", out)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list runs: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if name == latestLink || strings.HasPrefix(name, temporaryPrefix) {
			continue
		}
		run, err := readEntry(out, e)
		if err != nil {
			others = append(others, Other{name, err.Error()})
			continue
		}
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b Entry) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.Name, a.Name)) })
	return runs, others, nil
}

// readEntry reads what a run directory tells of itself. The error says why it is none.
func readEntry(out string, e fs.DirEntry) (Entry, error) {
	run := Entry{Name: e.Name()}
	if !e.IsDir() { // a link is none, either
		return run, errors.New("not a directory")
	}
	at := run.Name[:max(0, strings.LastIndex(run.Name, "-"))] // its seed stands behind the time
	var err error
	if run.Began, err = time.Parse(nameLayout, at); err != nil {
		return run, errors.New("not named as a run")
	}
	dir := filepath.Join(out, run.Name)
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return run, fmt.Errorf("%s cannot be read", manifestFile)
	}
	if err := json.Unmarshal(text, &run.Provenance); err != nil || run.Schema != Schema {
		return run, fmt.Errorf("%s is not that of a run", manifestFile)
	}
	if run.Run != run.Name {
		return run, fmt.Errorf("%s is of the run %q", manifestFile, run.Run)
	}
	run.Bytes, run.Forms, err = sizeOf(dir, run.FormOrder)
	return run, err
}

// sizeOf adds up the files of a run directory, and lists the forms that have spans. A file that no run writes is an error.
func sizeOf(dir string, order []string) (bytes int64, forms []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, nil, errors.New("cannot be read")
	}
	for _, e := range entries {
		form, spans := strings.CutSuffix(e.Name(), spansSuffix)
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !spans && !slices.Contains([]string{manifestFile, ordersFile, starvedFile}, e.Name()) {
			return 0, nil, fmt.Errorf("has %s, which no run writes", e.Name())
		}
		bytes += info.Size()
		if spans && form != Shared {
			forms = append(forms, form)
		}
	}
	rank := func(form string) int {
		if i := slices.Index(order, form); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	return bytes, forms, nil
}

// Remove removes run directories of a folder that List has found. Each is gone or whole whenever the process ends: it gets a temporary name first,
// as one that is being written. Where "latest" led to one of them it leads to the newest that is left, or is gone with the last.
func Remove(out string, runs ...Entry) error {
	var errs []error
	for _, run := range runs {
		going := filepath.Join(out, temporaryPrefix+"gone-"+run.Name)
		err := os.Rename(filepath.Join(out, run.Name), going)
		if err == nil {
			err = os.RemoveAll(going)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove run %s: %w", run.Name, err))
		}
	}
	link := filepath.Join(out, latestLink)
	if _, err := os.Readlink(link); err != nil {
		return errors.Join(errs...) // there is no link
	}
	if _, err := os.Stat(link); err == nil {
		return errors.Join(errs...) // it leads somewhere
	}
	left, _, err := List(out)
	switch {
	case err == nil && len(left) > 0:
		err = point(out, left[0].Name)
	case err == nil:
		err = os.Remove(link)
	}
	return errors.Join(append(errs, err)...)
}
