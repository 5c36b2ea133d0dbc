package report

import (
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"tracelab/journey/format"
)

// cell is a piece of text in a table. Its color takes no room.
type cell struct {
	text  string
	color format.Color
	right bool
}

func left(text string) cell   { return cell{text: text} }
func number(text string) cell { return cell{text: text, right: true} }

// table writes rows of cells in aligned columns, two blanks apart. Cells are clean already.
func table(b *strings.Builder, style format.Style, indent string, rows [][]cell) {
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
			line.WriteString(style.Paint(c.color, c.text))
			if !c.right {
				line.WriteString(fill)
			}
		}
		b.WriteString(indent + strings.TrimRight(line.String(), " ") + "\n")
	}
}

// shorten cuts text to a width, with an ellipsis.
func shorten(text string, width int) string { return runewidth.Truncate(text, width, "…") }

func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}
