package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestLocale(t *testing.T) {
	for settings, want := range map[string]bool{
		"": false, "LANG=C": true, "LANG=POSIX": true, "LANG=C.UTF-8": false, "LANG=de_DE.utf8": false, "LANG=de_DE.ISO-8859-1": true,
		"LANG=C.UTF-8 LC_ALL=C": true, "LANG=C LC_CTYPE=C.UTF-8": false, "LC_ALL=C.UTF-8 LC_CTYPE=C": false, "LC_ALL= LANG=C": true,
	} {
		getenv := func(name string) string {
			for setting := range strings.FieldsSeq(settings) {
				if value, ok := strings.CutPrefix(setting, name+"="); ok {
					return value
				}
			}
			return ""
		}
		if got := asciiLocale(getenv); got != want {
			t.Errorf("%q: ASCII is %v, want %v", settings, got, want)
		}
	}
}

func TestASCIIWriter(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n":               "plain\n",
		"870 µs [1, 2]":         "870 us [1, 2]",
		"a → b":                 "a -> b",
		"name…     12\nx…  y\n": "name...   12\nx... y\n", // two blanks give one of them
		"└─ █▓░▪┄ ▼":            "`- #%-=. v",
		"café 漢":                `caf\u00e9 \u6f22`,
		"bad \xff end":          `bad \xff end`,
		"δ = 5 %":               "delta = 5 %",
	} {
		for name, write := range map[string]func(w *asciiWriter) error{
			"at once": func(w *asciiWriter) error { _, err := w.Write([]byte(in)); return err },
			"byte by byte": func(w *asciiWriter) error {
				reader := iotest.OneByteReader(strings.NewReader(in))
				for b := make([]byte, 1); ; {
					if _, err := reader.Read(b); err != nil {
						return nil //nolint:nilerr // the end of the text
					}
					if _, err := w.Write(b); err != nil {
						return err
					}
				}
			},
		} {
			var out bytes.Buffer
			if err := write(&asciiWriter{to: &out}); err != nil || out.String() != want {
				t.Errorf("%q %s gives %q, want %q, %v", in, name, out.String(), want, err)
			}
		}
	}
}

// TestEverySignHasAnASCIIOne looks for signs in all texts of the program that have no letters of ASCII in their place. Pages and Markdown keep theirs.
func TestEverySignHasAnASCIIOne(t *testing.T) {
	found := map[rune]bool{}
	for _, room := range []string{"cmd", "lab", "journey", "doctor", "experiments", "services", "internal", "derive"} {
		err := filepath.WalkDir(filepath.Join("..", "..", room), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.Contains(entry.Name(), "html") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING && literal.Kind != token.CHAR {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Errorf("%s: %v", path, err)
				}
				for _, r := range text {
					if sign := inASCII(r, []byte(string(r))); r >= utf8.RuneSelf && r != utf8.RuneError && strconv.IsPrint(r) && strings.HasPrefix(sign, `\u`) {
						t.Errorf("%s: %q has no sign of ASCII in inASCII", path, r)
					}
					found[r] = r >= utf8.RuneSelf
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(slices.DeleteFunc([]rune("µ…–→█▓░▪┄▼─│├└×"), func(r rune) bool { return found[r] })); n > 0 {
		t.Errorf("%d signs that reports draw with were not found: the texts were not read", n)
	}
}

// TestReportsInASCII has each kind of text without UTF-8, and the formats for programs as they are.
func TestReportsInASCII(t *testing.T) {
	dir := printed(t, "run", "--orders", "2", "--warm-up", "0", "--forms", "grpc,kafka", "--out", t.TempDir())["dir"].(string)
	t.Setenv("LANG", "C")
	isASCII := func(text string) bool {
		return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	}
	for _, c := range []struct {
		line  string
		ascii bool
		has   string
	}{
		{"run --orders 1 --warm-up 0 --forms kafka --out " + t.TempDir(), true, "- in a queue"},
		{"run --help", true, "FORM,..."},
		{"journey " + dir, true, "- in a queue"},
		{"compare " + dir, true, "->"},
		{"lint " + dir, true, "No findings"},
		{"claims", true, "caller-wait"},
		{"flow show order", true, "  ` analytics.Record"},
		{"flow show order --yaml", true, "flow: order"},
		{"journey --format html " + dir, false, "·"},
	} {
		if text := output(t, strings.Fields(c.line)...); isASCII(text) != c.ascii || !strings.Contains(text, c.has) {
			t.Errorf("%s: ASCII is %v, want %v and %q:\n%s", c.line, isASCII(text), c.ascii, c.has, text)
		}
	}
	t.Setenv("LC_ALL", "C.UTF-8")
	if text := output(t, "flow", "show", "order"); isASCII(text) {
		t.Errorf("with UTF-8:\n%s", text)
	}
}
