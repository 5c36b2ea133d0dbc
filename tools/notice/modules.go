package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a linked module with its licenses and notices.
type module struct {
	path, version string
	texts         []text
}

// text is a license, or a notice that goes with it.
type text struct {
	license string // its SPDX name; empty for a notice
	lines   string
}

// goPackage is a package in the output of go list.
type goPackage struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Version string }
	}
}

// linked lists the modules that cmd/tracelab is made of: Go's own library, and the others in the order of their paths.
func linked(ctx context.Context, root string) ([]module, error) {
	c := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Module", "./cmd/tracelab")
	c.Dir = root
	c.Env = append(os.Environ(), "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0") // the image's program, on every machine
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	found, err := modulesOf(out)
	if err != nil {
		return nil, err
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	modules := []module{{path: "Go's standard library"}}
	if modules[0].texts, err = texts([]string{strings.TrimSpace(string(goroot))}); err != nil {
		return nil, fmt.Errorf("%s: %w", modules[0].path, err)
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		m := module{path: path, version: found[path].version}
		if m.texts, err = texts(slices.Sorted(maps.Keys(found[path].folders))); err != nil { // the module's own folder is the first
			return nil, fmt.Errorf("%s %s: %w", m.path, m.version, err)
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// source is where a module's texts are: in the folders of the packages that are linked, and in all above them, as code that a module has taken over
// brings its own license.
type source struct {
	version string
	folders map[string]bool
}

// modulesOf reads what go list printed: where each module is, by path. Modules of this checkout are left out.
func modulesOf(list []byte) (map[string]source, error) {
	found := map[string]source{}
	decoder := json.NewDecoder(bytes.NewReader(list))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Module == nil || p.Module.Main || p.Module.Replace != nil && p.Module.Replace.Version == "" {
			continue
		}
		m, ok := found[p.Module.Path]
		if !ok {
			m = source{p.Module.Version, map[string]bool{}}
			found[p.Module.Path] = m
		}
		for folder := p.Dir; len(folder) >= len(p.Module.Dir); folder = filepath.Dir(folder) {
			m.folders[folder] = true
		}
	}
}

// fileName matches the files that hold licenses and notices. PATENTS of Go's modules is a further grant, and wants nothing.
var fileName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)([.-].*)?$`)

// texts reads what lies in the folders.
func texts(folders []string) (found []text, err error) {
	licensed := false
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() || !fileName.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
				continue
			}
			lines, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				return nil, err
			}
			t := text{lines: tidy(string(lines))}
			if !strings.HasPrefix(strings.ToLower(entry.Name()), "notice") {
				if t.license = classify(t.lines); t.license == "" {
					return nil, fmt.Errorf("%s is under a license that tools/notice does not know: see whether it may be linked, and let classify know it", entry.Name())
				}
				licensed = true
			}
			if !slices.Contains(found, t) {
				found = append(found, t)
			}
		}
	}
	if !licensed {
		return nil, errors.New("it has no license file: see whether it may be linked")
	}
	return found, nil
}

// tidy removes what may differ between two copies of one text: blanks at the ends of lines, and the kind of line end.
func tidy(s string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(s)) {
		out.WriteString(strings.TrimRight(line, " \t\r\n"))
		out.WriteByte('\n')
	}
	return out.String()
}

// classify returns the SPDX name of a license, or nothing.
func classify(lines string) string {
	words := strings.Join(strings.Fields(lines), " ")
	has := func(part string) bool { return strings.Contains(words, part) }
	var names []string
	for _, known := range []struct {
		name string
		is   bool
	}{
		{"Apache-2.0", has("Apache License Version 2.0") || has("Licensed under the Apache License, Version 2.0")},
		{"MPL-2.0", has("Mozilla Public License") && has("2.0")},
		{"MIT", has("Permission is hereby granted, free of charge, to any person obtaining a copy")},
		{"BSD-3-Clause", has("Redistributions of source code must retain") && (has("Neither the name") || has("may not be used to endorse"))},
		{"BSD-2-Clause", has("Redistributions of source code must retain") && !has("Neither the name") && !has("may not be used to endorse")},
	} {
		if known.is {
			names = append(names, known.name)
		}
	}
	return strings.Join(names, and)
}
