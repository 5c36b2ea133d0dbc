package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// program is the command line that called this program, for the commands that it prints: `go run` builds it into a folder that is gone
// a moment later.
func program() string {
	name := os.Args[0]
	if strings.Contains(filepath.ToSlash(name), "/go-build") {
		return "go run ./cmd/tracelab"
	}
	return quoted(name)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
