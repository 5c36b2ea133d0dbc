package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"tracelab/internal/vocabulary"
	"tracelab/journey/format"
	"tracelab/journey/predict"
	"tracelab/lab/rundir"
)

// suggestion returns the known word that is nearest to an unknown one, or where the known ones are listed, or "".
func suggestion(err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		return listed(parse)
	}
	word, known := unknownWord(err)
	if len(known) == 0 {
		return ""
	}
	nearest := vocabulary.Nearest(word, known)
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// unknownWord returns the word that an error says is unknown, and the words that are known.
func unknownWord(err error) (word string, known []string) {
	if unknown, ok := errors.AsType[*vocabulary.UnknownError](err); ok {
		return unknown.Word, unknown.Known
	}
	if form, ok := errors.AsType[*rundir.UnknownFormError](err); ok {
		return form.Form, form.Known
	}
	if hop, ok := errors.AsType[*predict.UnknownHopError](err); ok {
		return hop.Name, hop.Known
	}
	return "", nil
}

// listed says, for a command line that cannot be parsed, which words are possible, or what lists them. kong's own error names
// the nearest one.
func listed(err *kong.ParseError) string {
	if command := err.Context.Selected(); command != nil {
		return fmt.Sprintf("; %s --help lists what may stand there", command.FullPath())
	}
	if text := err.Error(); strings.HasPrefix(text, "expected one of") && !strings.HasSuffix(text, "...") {
		return "" // kong has listed them; it truncates a longer list with "..."
	}
	var names []string
	for _, command := range err.Context.Model.Children {
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	return "; the commands are " + strings.Join(names, ", ")
}

// mostOfLine is how many bytes of a line of an error are shown, and mostLines how many lines: any value may be as long as it likes. What is left out is in
// the middle, as the way out stands at the end.
const (
	mostOfLine = 2000
	mostLines  = 200
)

// visible is an error's text for a terminal, which may quote what came from outside: what is not printable is escaped, the ends of lines apart, and no
// value fills the screen.
func visible(text string) string {
	lines := strings.Split(text, "\n")
	if left := len(lines) - mostLines; left > 0 {
		lines = slices.Replace(lines, mostLines/2, mostLines/2+left, fmt.Sprintf("… %d lines are left out …", left))
	}
	for i, line := range lines {
		lines[i] = format.Escape(shortened(line))
	}
	return strings.Join(lines, "\n")
}

// shortened leaves out the middle of a line that is too long.
func shortened(line string) string {
	left := len(line) - mostOfLine
	if left <= 0 {
		return line
	}
	begin, end := line[:mostOfLine/2], line[mostOfLine/2+left:]
	return fmt.Sprintf("%s … %d bytes are left out … %s", strings.ToValidUTF8(begin, ""), left, strings.ToValidUTF8(end, ""))
}
