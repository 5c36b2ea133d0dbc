package flows

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Limits of a flow's file.
const (
	MaxFileBytes = 256 << 10
	maxNesting   = 8
	maxLine      = 4096 // characters
	maxLines     = 2000
	MaxSteps     = 200
	maxForms     = 40
	maxFields    = 40 // of a body, and reasons
)

// precheck refuses what could make the parser work without end, before it sees anything: too much, too deep, and YAML's ways of repeating
// itself.
func (d *document) precheck(content []byte) error {
	if len(d.lines) > maxLines {
		return d.at(maxLines+1, 1, "", "more than %d lines: a flow has at most %d steps, so leave some out", maxLines, MaxSteps)
	}
	if len(content) > MaxFileBytes {
		return &Error{File: d.file, Problem: fmt.Sprintf("more than %d KiB: a flow has at most %d steps, so leave some out", MaxFileBytes>>10, MaxSteps)}
	}
	if !utf8.Valid(content) {
		return &Error{File: d.file, Problem: "the file is not UTF-8: save it as that"}
	}
	if strings.TrimSpace(string(content)) == "" {
		return &Error{File: d.file, Problem: "the file is empty: tracelab flow show order --yaml prints one to begin with"}
	}
	if err := d.checkCharacters(); err != nil {
		return err
	}
	if err := d.checkDepth(); err != nil {
		return err
	}
	for _, t := range lexer.Tokenize(string(content)) {
		if err := d.checkToken(t); err != nil {
			return err
		}
	}
	return nil
}

// checkDepth bounds brackets, markers of lists and indentation, counted as if none of them were quoted.
func (d *document) checkDepth() error {
	brackets := 0
	var indents []int
	for i, line := range d.lines {
		if utf8.RuneCountInString(line) > maxLine {
			return d.at(i+1, 1, "", "a line of more than %d characters: break it", maxLine)
		}
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		indent := len(line) - len(trimmed)
		for len(indents) > 0 && indents[len(indents)-1] >= indent {
			indents = indents[:len(indents)-1]
		}
		indents = append(indents, indent)
		markers := strings.Count(line, "- ") + strings.Count(line, "? ")
		if len(indents) > maxNesting || markers > 4*maxNesting {
			return d.at(i+1, indent+1, "", "nested more than %d deep: a flow needs no more than 4", maxNesting)
		}
		for column, r := range []rune(line) {
			switch r {
			case '{', '[':
				brackets++
			case '}', ']':
				brackets = max(0, brackets-1)
			}
			if brackets > maxNesting {
				return d.at(i+1, column+1, "", "nested more than %d deep: a flow needs no more than 4", maxNesting)
			}
		}
	}
	return nil
}

// checkToken refuses what a flow has no use for.
func (d *document) checkToken(t *token.Token) error {
	switch t.Type {
	case token.AnchorType, token.AliasType, token.MergeKeyType:
		return d.about(t, "", "anchors (&), aliases (*) and merge keys (<<) are not read: write it out")
	case token.TagType, token.DirectiveType:
		return d.about(t, "", "tags (!) and directives (%%) are not read: leave it out")
	case token.DocumentEndType:
		return d.about(t, "", "one flow is one document: leave out the line of dots")
	case token.DocumentHeaderType:
		return d.about(t, "", "one flow is one document: leave out the line of dashes")
	case token.InvalidType:
		return d.about(t, "", "this is no YAML: %s", d.yamlRemedy(nil, t.Error, t))
	}
	return nil
}
