package tutorial

import (
	"strings"
	"unicode/utf8"
)

// Reflow breaks the paragraphs of a page's prose anew, into lines of so many columns. What has lines of its own stays: headings, tables, pictures.
func Reflow(text string, columns int) string {
	var out, words []string
	end := func() {
		out, words = append(out, wrap(words, columns)...), nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#|!"):
			end()
			out = append(out, line)
			continue
		case strings.HasPrefix(line, "- "):
			end()
		}
		words = append(words, strings.Fields(line)...)
	}
	end()
	return strings.Join(out, "\n")
}

// wrap puts words into lines. A word that is wider than a line has one of its own.
func wrap(words []string, columns int) []string {
	var lines []string
	used := 0
	for _, word := range words {
		n := utf8.RuneCountInString(word)
		if last := len(lines) - 1; last >= 0 && used+1+n <= columns {
			lines[last], used = lines[last]+" "+word, used+1+n
			continue
		}
		lines, used = append(lines, word), n
	}
	return lines
}
