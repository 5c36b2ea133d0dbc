package tutorial

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Files lists the tutorials of a folder, whose names begin with a number and a hyphen, in the order of these numbers.
func Files(dir string) ([]string, error) {
	files, err := fs.Glob(os.DirFS(dir), "[0-9]*-*.md")
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		files[i] = filepath.Join(dir, file)
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	return files, nil
}

// number is what the name of a tutorial's file begins with; 0 when that is no number.
func number(file string) int {
	first, _, _ := strings.Cut(filepath.Base(file), "-")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
