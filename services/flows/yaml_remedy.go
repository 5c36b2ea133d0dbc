package flows

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// compareWith helps with a mistake that only the writer can name.
const compareWith = ": compare it with tracelab flow show order --yaml"

// yamlRemedy returns what the parser says is wrong, and how to mend it.
func (d *document) yamlRemedy(content []byte, message string, t *token.Token) string {
	if t != nil && t.Position != nil && t.Position.Line >= 1 && t.Position.Line <= len(d.lines) {
		line := d.lines[t.Position.Line-1]
		if strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") {
			return "a line is indented by a tab: use spaces"
		}
	}
	if undo := undoRemedy(content, t); undo != "" {
		return cut(message) + undo
	}
	switch {
	case strings.Contains(message, "already defined"):
		return cut(message) + ": leave one of the two out"
	case strings.Contains(message, "find end character"):
		return cut(message) + ": close it, or put the text in other quotes"
	}
	return cut(message) + compareWith
}

// checkCharacters refuses what no editor writes: control characters, and a carriage return that does not end a line.
func (d *document) checkCharacters() error {
	for i, line := range d.lines {
		for column, r := range []rune(strings.TrimSuffix(line, "\r")) {
			switch {
			case r == '\r':
				return d.at(i+1, column+1, "", "a carriage return in the middle of a line: save the file with LF or CRLF at the ends of its lines")
			case r < ' ' && r != '\t' || r == 0x7f:
				return d.at(i+1, column+1, "", "the control character %U: the file is damaged, or no text: leave it out", r)
			case r == '\ufeff':
				return d.at(i+1, column+1, "", "a byte order mark that is not the file's first character: leave it out")
			}
		}
	}
	return nil
}
