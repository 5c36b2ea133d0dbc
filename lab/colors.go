package lab

import (
	"regexp"
	"strings"

	"tracelab/internal/palette"
	"tracelab/journey/format"
)

var word = regexp.MustCompile(`[a-z]+`)

// inColors gives each form its color where a line is about forms: a table's heads, and lines that begin with one. It works on the finished
// text, so that columns stay where they are.
func inColors(text string, style format.Style) string {
	if !style.Color {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case allForms(words):
			line = word.ReplaceAllStringFunc(line, func(form string) string { return painted(form, style) })
		default:
			if form := strings.TrimSuffix(words[0], ","); isForm(form) {
				line = strings.Replace(line, form, painted(form, style), 1)
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

func allForms(words []string) bool {
	for _, w := range words {
		if !isForm(w) {
			return false
		}
	}
	return true
}

func isForm(word string) bool { _, ok := palette.Form(word); return ok }

func painted(form string, style format.Style) string {
	color, _ := palette.Form(form)
	return style.Paint(format.Color(color.Escape()), form)
}
