package main

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// asciiLocale tells whether the locale has no UTF-8, such as C. Where none is set nobody has said so: then text is UTF-8.
func asciiLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // the first one that is set decides
		if locale := getenv(name); locale != "" {
			locale = strings.ToLower(locale)
			return !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
		}
	}
	return false
}

// asciiWriter writes text in ASCII: each sign that the reports draw with becomes one that looks like it, and any other letter an escape such as
// \u00e9. Columns stay where they are: what a sign takes more is taken from the blanks behind it, if there are several.
type asciiWriter struct {
	to    io.Writer
	rest  []byte // of a rune whose other bytes have not come yet
	owed  int    // columns to be taken from blanks
	blank bool   // the last character was one
}

// Write implements io.Writer.
func (w *asciiWriter) Write(text []byte) (int, error) {
	in := slices.Concat(w.rest, text)
	out := make([]byte, 0, len(in))
	for len(in) > 0 && utf8.FullRune(in) {
		r, n := utf8.DecodeRune(in)
		switch {
		case r == '\n':
			w.owed, w.blank = 0, false
			out = append(out, '\n')
		case r == ' ' && w.blank && w.owed > 0:
			w.owed--
		case r < utf8.RuneSelf:
			w.blank = r == ' '
			out = append(out, byte(r))
		default:
			sign := inASCII(r, in[:n])
			w.owed += len(sign) - 1
			w.blank = false
			out = append(out, sign...)
		}
		in = in[n:]
	}
	w.rest = slices.Clone(in)
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

// inASCII writes one rune, which these bytes are.
func inASCII(r rune, bytes []byte) string {
	const signs = "µu μmu δdelta λlambda …... –- —- −- ×x ·. →-> ←<- ›> ∞inf ±+- ≤<= ≥>= ³^3 ⁴^4 ⁵^5 ⁶^6 " +
		"█# ▓% ▒: ░- ▪= ┄. ▼v ─- │| ├| └` "
	if r == utf8.RuneError && len(bytes) == 1 {
		return `\x` + strconv.FormatUint(uint64(bytes[0]), 16)
	}
	if _, after, ok := strings.Cut(signs, string(r)); ok {
		sign, _, _ := strings.Cut(after, " ")
		return sign
	}
	quoted := strconv.QuoteRuneToASCII(r)
	return quoted[1 : len(quoted)-1]
}

// fileOf returns the file that a writer writes to, also behind a screenWriter and an asciiWriter; false when it is none.
func fileOf(w io.Writer) (*os.File, bool) {
	if screen, ok := w.(*screenWriter); ok {
		w = screen.to
	}
	if ascii, ok := w.(*asciiWriter); ok {
		w = ascii.to
	}
	file, ok := w.(*os.File)
	return file, ok
}

// isTerminal returns the terminal that a writer writes to; false when it is none.
func isTerminal(w io.Writer) (*os.File, bool) {
	file, ok := fileOf(w)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// dataWriter is a command that prints something else than text for people, though it has no --format or that is text.
type dataWriter interface{ printsData() bool }

// printsData tells whether what a command prints is for programs: then it is UTF-8 whatever the locale.
func printsData(parsed *kong.Context) bool {
	command := parsed.Selected()
	if command == nil {
		return false
	}
	if writer, ok := command.Target.Addr().Interface().(dataWriter); ok && writer.printsData() {
		return true
	}
	for _, flag := range command.Flags {
		if flag.Name == "format" {
			return flag.Target.String() != "text"
		}
	}
	return false
}
