package format

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks text at blanks into lines of at most width characters. A longer word has a line of its own and is not cut: an
// id or a path is useless in pieces.
func Wrap(text string, width int) []string {
	var lines []string
	line, used := "", -1
	for word := range strings.SplitSeq(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case used < 0:
			line, used = word, n
		case used+1+n <= width || strings.TrimSpace(line) == "":
			line, used = line+" "+word, used+1+n
		default:
			lines = append(lines, line)
			line, used = word, n
		}
	}
	return append(lines, line)
}

// Paragraph wraps text into lines that fit the style's columns: the first after an indent, the others after a longer one.
func (s Style) Paragraph(indent, hanging, text string) string {
	var b strings.Builder
	width := s.Columns() - utf8.RuneCountInString(hanging)
	first := strings.Repeat("\x00", max(0, utf8.RuneCountInString(indent)-utf8.RuneCountInString(hanging)))
	for i, line := range Wrap(first+text, width) {
		if i == 0 {
			b.WriteString(indent + strings.TrimLeft(line, "\x00") + "\n")
			continue
		}
		b.WriteString(hanging + line + "\n")
	}
	return b.String()
}

// Line is Paragraph on a terminal; elsewhere it is one line, which programs look for.
func (s Style) Line(indent, hanging, text string) string {
	if !s.Fit {
		return indent + text + "\n"
	}
	return s.Paragraph(indent, hanging, text)
}
