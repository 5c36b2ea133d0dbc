package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoticeIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	want, err := notice(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("NOTICE is not what the program links: run task notice, or go run ./tools/notice")
	}
}

func TestClassify(t *testing.T) {
	const bsd = "Redistributions of source code must retain the above copyright notice.\n"
	for lines, want := range map[string]string{
		"    Apache License\n   Version 2.0, January 2004\n":                            "Apache-2.0",
		"Permission is hereby granted, free of charge,\nto any person obtaining a copy": "MIT",
		bsd:                                   "BSD-2-Clause",
		bsd + "Neither the name of":           "BSD-3-Clause",
		"Mozilla Public License, version 2.0": "MPL-2.0",
		"Apache License\nVersion 2.0\n" + bsd + "Neither the name": "Apache-2.0 AND BSD-3-Clause",
		"GNU GENERAL PUBLIC LICENSE":                               "",
		"":                                                         "",
	} {
		if got := classify(lines); got != want {
			t.Errorf("%q is %q, want %q", lines, got, want)
		}
	}
}

func TestTextsOfAModule(t *testing.T) {
	top := t.TempDir()
	below := filepath.Join(top, "taken")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	read := func(folders ...string) string {
		found, err := texts(folders)
		if err != nil {
			return err.Error()
		}
		var out strings.Builder
		if err := write(&out, []module{{"example.org/a", "v1.0.0", found}}); err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(out.String(), head)
	}
	put := func(folder, name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(top); !strings.Contains(got, "no license file") {
		t.Errorf("without a license: %q", got)
	}
	put(top, "LICENSE", "Apache License\nVersion 2.0\nCopyright 2020 Ada\nCopyright [yyyy] [name]\n")
	put(below, "NOTICE.txt", "Ada's work  \r\n")
	put(below, "licenses.go", "package taken")
	line := strings.Repeat("-", 80) + "\n"
	want := "example.org/a v1.0.0  Apache-2.0\n\n" + line + "example.org/a v1.0.0\nApache-2.0, with its text in LICENSE:\n\nCopyright 2020 Ada\n\n" +
		line + "example.org/a v1.0.0\nNotice:\n\nAda's work\n"
	if got := read(top, below); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	put(below, "COPYING", "GNU GENERAL PUBLIC LICENSE")
	if got := read(top, below); !strings.Contains(got, "COPYING is under a license that tools/notice does not know") {
		t.Errorf("with an unknown license: %q", got)
	}
}

func TestWrongCommandLines(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"more"}, &stderr); code != 2 || !strings.Contains(stderr.String(), "usage: notice") {
		t.Errorf("exit status %d, %q", code, stderr.String())
	}
	if code := run(t.Context(), []string{"-root", t.TempDir()}, &stderr); code != 1 {
		t.Errorf("exit status %d in an empty folder: %s", code, stderr.String())
	}
}
