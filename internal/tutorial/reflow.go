package tutorial

import (
	"strings"

	"tracelab/journey/format"
)

// Reflow breaks the paragraphs of a page's prose anew, into lines of so many columns. What has lines of its own stays: headings, tables, pictures.
func Reflow(text string, columns int) string {
	var out, words []string
	end := func() {
		if len(words) > 0 {
			out, words = append(out, format.Wrap(strings.Join(words, " "), columns)...), nil
		}
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
