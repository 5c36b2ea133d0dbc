// Package hint makes the commands that the program prints for a person to run next, so that they run where that person is.
package hint

import (
	"path/filepath"
	"regexp"
	"strings"
)

// Program returns, quoted for a shell, how the program was called; called is os.Args[0]. Under `go run` that is a path that is gone a
// moment later, so the command to type again is returned instead.
func Program(called string) string {
	if strings.Contains(filepath.ToSlash(called), "/go-build") {
		return "go run ./cmd/tracelab"
	}
	return Quote(called)
}

// Command returns a command line of a program, its words quoted where they need it.
func Command(program string, words ...string) string {
	for _, word := range words {
		program += " " + Quote(word)
	}
	return program
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Quote returns a word as a POSIX shell takes it.
func Quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
