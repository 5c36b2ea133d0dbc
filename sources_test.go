package tracelab_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is a Go file of the module: its path from the module's root, with slashes, and what it imports.
type source struct {
	file    string
	imports []string
}

// readSources parses the imports of every Go file below root that belongs to a module of the workspace. It reads files instead of asking the go
// command for packages, because that leaves out files of other systems and other build tags.
func readSources(root string) ([]source, error) {
	workspace, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	var sources []source
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file != root && isOutside(file, string(workspace)) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		s, err := readSource(file)
		sources = append(sources, s)
		return err
	})
	return sources, err
}

// isOutside holds for folders that the go command leaves out of `go test work`, too: test data, hidden ones, and modules that go.work
// does not name.
func isOutside(folder, workspace string) bool {
	name := filepath.Base(folder)
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil && !slices.Contains(strings.Fields(workspace), "./"+filepath.ToSlash(folder))
}

func readSource(file string) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return source{}, err
	}
	s := source{file: filepath.ToSlash(file)}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, fmt.Errorf("%s: %w", file, err)
		}
		s.imports = append(s.imports, imported)
	}
	return s, nil
}
