// Package hint makes the commands that the program prints for a person to run next, so that they run where that person is.
package hint

import (
	"path/filepath"
	"regexp"
	"strings"
)

// Program is how the program was called, as a shell takes it, given the first of its arguments. `go run` builds it into a folder that is
// gone a moment later.
func Program(called string) string {
	if strings.Contains(filepath.ToSlash(called), "/go-build") {
		return "go run ./cmd/tracelab"
	}
	return Quote(called)
}

// Command is a command line of a program, its words quoted where they need it.
func Command(program string, words ...string) string {
	for _, word := range words {
		program += " " + Quote(word)
	}
	return program
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Quote is a word as a POSIX shell takes it.
func Quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
