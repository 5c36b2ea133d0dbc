package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"tracelab/journey/format"
)

// screenWriter writes text for a terminal. It escapes what a terminal would obey, as any text may quote a name from outside: only colors
// get through, ends of lines, and tabs. Several goroutines may write.
type screenWriter struct {
	mu   sync.Mutex
	to   io.Writer
	rest string // of a character or a color whose other bytes have not come yet
}

var (
	allowed    = regexp.MustCompile(`\x1b\[[0-9;]*m|[\n\t]`)
	begunColor = regexp.MustCompile(`\x1b(\[[0-9;]{0,16})?$`)
)

// Write implements io.Writer.
func (w *screenWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.rest + string(text)
	whole := wholeUntil(in)
	w.rest = in[whole:]
	if _, err := io.WriteString(w.to, escaped(in[:whole])); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped escapes all that is not allowed.
func escaped(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range allowed.FindAllStringIndex(text, -1) {
		b.WriteString(format.Escape(text[from:at[0]]))
		b.WriteString(text[at[0]:at[1]])
		from = at[1]
	}
	b.WriteString(format.Escape(text[from:]))
	return b.String()
}

// wholeUntil returns where a character or a color begins that the text does not end; its length when there is none.
func wholeUntil(text string) int {
	if at := begunColor.FindStringIndex(text); at != nil {
		return at[0]
	}
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRuneInString(tail) {
				break
			}
			return len(text) - n
		}
	}
	return len(text)
}

// checkText refuses arguments and settings that are not UTF-8: the parser would put U+FFFD into them, which names another file.
func checkText(args, environ []string) error {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return usageError{fmt.Errorf("%q is not UTF-8: give the file another name, or put it in with < and name it -", arg)}
		}
	}
	for _, setting := range environ {
		if name, value, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "TRACELAB_") && !utf8.ValidString(value) {
			return usageError{fmt.Errorf("%s: %q is not UTF-8", name, value)}
		}
	}
	return nil
}
