package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// clean replaces what is not printable by an escape such as \x1b or \u202e.
func clean(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// cell is a piece of text in a table. Its color takes no room.
type cell struct {
	text  string
	color string
	right bool
}

func left(text string) cell   { return cell{text: text} }
func number(text string) cell { return cell{text: text, right: true} }

// table writes rows of cells in aligned columns, two blanks apart. Cells are clean already.
func table(b *strings.Builder, style Style, indent string, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(c.text))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			fill := strings.Repeat(" ", widths[i]-runewidth.StringWidth(c.text))
			if c.right {
				line.WriteString(fill)
			}
			line.WriteString(style.paint(c.color, c.text))
			if !c.right {
				line.WriteString(fill)
			}
		}
		b.WriteString(indent + strings.TrimRight(line.String(), " ") + "\n")
	}
}

// shorten cuts text to a width, with an ellipsis.
func shorten(text string, width int) string { return runewidth.Truncate(text, width, "…") }
