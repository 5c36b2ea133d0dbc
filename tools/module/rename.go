package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxFile is how many bytes a file may have to be changed: a larger one is data that nobody wrote by hand.
const maxFile = 4 << 20

// skipped lists folders whose files are not the project's: version control, results of runs, packages of npm.
var skipped = []string{".git", "runs", "node_modules", ".task"}

var (
	moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)
	fetchable  = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~-]+)+$`)
)

// checkPath returns an error for a path that the go command could not fetch.
func checkPath(path string) error {
	switch last := path[strings.LastIndexByte(path, '/')+1:]; {
	case !fetchable.MatchString(path):
		return fmt.Errorf("%q is no module path that can be fetched: it begins with a domain, as github.com/you/tracelab", path)
	case regexp.MustCompile(`^v\d+$`).MatchString(last):
		return fmt.Errorf("%q ends with a version: leave /%s out, the go command adds it from version 2 on", path, last)
	}
	return nil
}

// rename puts the path in the place of the module path of root's go.mod, in every text file below root. It returns the files that it has changed, below root.
func rename(root, path string) (changed []string, err error) {
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	line := moduleLine.FindSubmatch(goMod)
	if line == nil {
		return nil, errors.New("go.mod has no module line")
	}
	mention, err := mentions(root, string(line[1]))
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(skipped, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		did, err := rewrite(file, entry, mention, path)
		if did {
			below, relErr := filepath.Rel(root, file)
			changed = append(changed, below)
			err = errors.Join(err, relErr)
		}
		return err
	})
	return changed, err
}

// mentions returns a pattern for a module path: after the word module, or as the beginning of the path of a package, which is a folder of the
// checkout. The path alone is no mention, since it may be a plain word, and nor is what ends with it, as another path does.
func mentions(root, module string) (*regexp.Regexp, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			folders = append(folders, regexp.QuoteMeta(entry.Name()))
		}
	}
	quoted := regexp.QuoteMeta(module)
	return regexp.Compile(`(^|[^\w./~-])` + quoted + `(/(?:` + strings.Join(folders, "|") + `)\b)|(?m:^module )` + quoted + `(?m:$)`)
}

// rewrite changes one file, if it has a mention.
func rewrite(file string, entry fs.DirEntry, mention *regexp.Regexp, path string) (bool, error) {
	info, err := entry.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return false, err
	}
	text, err := os.ReadFile(file)
	if err != nil || !utf8.Valid(text) || !mention.Match(text) {
		return false, err
	}
	changed := mention.ReplaceAllFunc(text, func(match []byte) []byte {
		if bytes.HasPrefix(match, []byte("module ")) {
			return []byte("module " + path)
		}
		groups := mention.FindSubmatch(match)
		return slices.Concat(groups[1], []byte(path), groups[2])
	})
	return true, os.WriteFile(file, changed, info.Mode().Perm())
}
