package flows

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"

	"tracelab/internal/text"
	"tracelab/internal/vocabulary"
)

// Error is what is wrong with a flow's file, and where.
type Error struct {
	File         string
	Line, Column int    // from 1 on; 0 when it is about the file as a whole
	Field        string // such as steps: payment.Charge: wait; "" when it is about no field
	Problem      string // and the way out
	Text         string // the line, cut to longestShown characters
}

// Error is FILE:LINE:COLUMN: FIELD: PROBLEM, and the line below.
func (e *Error) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	if e.Field != "" {
		text += ": " + e.Field
	}
	text += ": " + e.Problem
	if e.Text != "" {
		text += "\n    " + e.Text
	}
	return text
}

// document is a file that is being read.
type document struct {
	file  string
	lines []string
}

// at makes an error about a place.
func (d *document) at(line, column int, field, format string, args ...any) *Error {
	e := &Error{File: d.file, Line: line, Column: column, Field: field, Problem: fmt.Sprintf(format, args...)}
	if line >= 1 && line <= len(d.lines) {
		e.Text = cut(strings.TrimSpace(d.lines[line-1]))
	}
	return e
}

// about makes an error about a token.
func (d *document) about(t *token.Token, field, format string, args ...any) *Error {
	if t == nil || t.Position == nil {
		return d.at(0, 0, field, format, args...)
	}
	return d.at(t.Position.Line, t.Position.Column, field, format, args...)
}

// cut makes a piece of a file fit for an error.
func cut(s string) string {
	s = text.Clean(s)
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > longestShown {
		return string(runes[:longestShown-1]) + "…"
	}
	return s
}

// unknown says that a word is none of those that may stand there, and which one is nearest.
func unknown(what, word string, known []string) string {
	text := fmt.Sprintf("no %s %q", what, cut(word))
	if nearest := vocabulary.Nearest(word, known); nearest != "" {
		return text + fmt.Sprintf(": did you mean %q?", nearest)
	}
	const most = 24
	if len(known) > most {
		known = append(slices.Clone(known[:most]), "…")
	}
	return text + ": use one of " + strings.Join(known, ", ")
}
