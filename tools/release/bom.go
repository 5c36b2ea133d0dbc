package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
)

// bom is a bill of materials in CycloneDX's JSON: https://cyclonedx.org/docs/1.6/json/
type bom struct {
	Format       string      `json:"bomFormat"`
	Spec         string      `json:"specVersion"`
	SerialNumber string      `json:"serialNumber"`
	Version      int         `json:"version"`
	Metadata     metadata    `json:"metadata"`
	Components   []component `json:"components"`
}

// metadata says what the bill is of.
type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

// component is the program, or a module that it links.
type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	PURL     string    `json:"purl,omitempty"`
	Licenses []license `json:"licenses"`
	Hashes   []hash    `json:"hashes,omitempty"`
}

// license is an SPDX expression.
type license struct {
	Expression string `json:"expression"`
}

// hash is a checksum of a file.
type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// standardLibrary is how NOTICE calls Go's own library.
const standardLibrary = "Go's standard library"

// writeBOM reads out of the program what it is made of, and writes that down.
func writeBOM(file, program string, c commit, t target, licenses map[string]string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	b, err := billOf(info, c, t, licenses)
	if err != nil {
		return err
	}
	b.Metadata.Component.Hashes = []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(content))}}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// billOf lists the modules of a program. Those of this checkout are the program's own.
func billOf(info *debug.BuildInfo, c commit, t target, licenses map[string]string) (bom, error) {
	name := "tracelab_" + c.version + "_" + t.system + "_" + t.processor
	b := bom{
		Format: "CycloneDX", Spec: "1.6", Version: 1, SerialNumber: uuid.NewSHA1(uuid.NameSpaceURL, []byte(c.id+" "+t.String())).URN(),
		Metadata: metadata{c.at.Format(time.RFC3339), component{Type: "application", Ref: name, Name: "tracelab", Version: c.version, Licenses: []license{{"Apache-2.0"}}}},
	}
	add := func(path, version, known string) error {
		expression, ok := licenses[known]
		if !ok {
			return fmt.Errorf("%s is linked, and NOTICE has no license of it: go run ./tools/notice writes NOTICE, and it has to look at %s, too", strings.TrimSpace(path+" "+version), t)
		}
		purl := "pkg:golang/" + path + "@" + version
		b.Components = append(b.Components, component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl, Licenses: []license{{expression}}})
		return nil
	}
	if err := add("std", strings.TrimPrefix(info.GoVersion, "go"), standardLibrary); err != nil {
		return b, err
	}
	for _, module := range info.Deps {
		if module.Replace != nil {
			if strings.HasPrefix(module.Replace.Path, ".") { // a folder
				continue
			}
			module = module.Replace
		}
		if err := add(module.Path, module.Version, module.Path+" "+module.Version); err != nil {
			return b, err
		}
	}
	return b, nil
}

// noticeLine is a line of the table in NOTICE: a module, its version, its licenses.
var noticeLine = regexp.MustCompile(`^(\S.*?)  +([A-Za-z0-9][A-Za-z0-9.-]*(?: AND [A-Za-z0-9.-]+)*)$`)

// readLicenses reads the table at the beginning of NOTICE: the licenses by module and version.
func readLicenses(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	licenses := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "----") { // the texts of the licenses
		if m := noticeLine.FindStringSubmatch(lines.Text()); m != nil {
			licenses[m[1]] = m[2]
		}
	}
	if len(licenses) == 0 {
		return nil, fmt.Errorf("%s has no table of licenses: go run ./tools/notice writes it", file)
	}
	return licenses, lines.Err()
}
