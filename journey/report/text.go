package report

import (
	"slices"
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

// minLastColumn is how narrow the last column of a table may get, whose text is wrapped where the table is too wide.
const minLastColumn = 24

// table writes rows of cells in aligned columns, two blanks apart. It wraps text of the last column that is too long for the
// style's width. The caller has escaped the cells.
func table(b *strings.Builder, style format.Style, indent string, rows [][]cell) {
	widths := columnWidths(rows)
	for _, row := range rows {
		tableRow(b, style, indent, row, widths)
	}
}

// Bounds of a name in a table that is too wide.
const mostNameWidth, leastNameWidth = maxServiceWidth, 8

// shortenNames shortens the names in the columns of a table, no more than it takes to fit the style's width. The last column needs lastNeeds of it, and wraps;
// with 0 it is shortened, too.
func shortenNames(style format.Style, indent string, rows [][]cell, lastNeeds int) {
	last := len(columnWidths(rows)) - 1
	whole := make([][]cell, len(rows))
	for i, row := range rows {
		whole[i] = slices.Clone(row)
	}
	for most := mostNameWidth; most >= leastNameWidth; most-- {
		width := tableWidth(indent, rows)
		if lastNeeds > 0 {
			width -= max(0, columnWidths(rows)[last]-lastNeeds)
		}
		if width <= style.Columns() {
			return
		}
		for i, row := range whole {
			for k, c := range row {
				if !c.right && (k < last || lastNeeds == 0) {
					rows[i][k].text = shorten(c.text, most)
				}
			}
		}
	}
}

// shortenLastWords shortens the words in the last column of a table that no line has room for.
func shortenLastWords(style format.Style, indent string, rows [][]cell) {
	widths := columnWidths(rows)
	last := len(widths) - 1
	room := style.Columns() - runewidth.StringWidth(indent)
	for _, w := range widths[:last] {
		room -= w + 2
	}
	for _, row := range rows {
		words := strings.Fields(row[last].text)
		for i, word := range words {
			words[i] = shorten(word, max(leastNameWidth, room-2)) // lines below the first begin two columns later
		}
		row[last].text = strings.Join(words, " ")
	}
}

func tableRow(b *strings.Builder, style format.Style, indent string, row []cell, widths []int) {
	last := len(widths) - 1
	if len(row) <= last || last < 0 || row[last].right {
		b.WriteString(indent + tableLine(style, row, widths) + "\n")
		return
	}
	before := runewidth.StringWidth(indent)
	for _, w := range widths[:last] {
		before += w + 2
	}
	lines := wrapCell(row[last].text, max(minLastColumn, style.Columns()-before))
	end := row[last]
	end.text = lines[0]
	b.WriteString(indent + tableLine(style, append(slices.Clone(row[:last]), end), widths) + "\n")
	for _, text := range lines[1:] {
		b.WriteString(strings.Repeat(" ", before) + style.Paint(end.color, text) + "\n")
	}
}

// wrapCell breaks text into lines of a width. They keep the indentation of the first, and two more.
func wrapCell(text string, room int) []string {
	if runewidth.StringWidth(text) <= room {
		return []string{text}
	}
	words := strings.TrimLeft(text, " ")
	nested := strings.Repeat(" ", min(len(text)-len(words), room/2))
	lines := format.Wrap(words, room-len(nested)-2)
	for i := range lines {
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
		lines[i] = nested + lines[i]
	}
	return lines
}

func columnWidths(rows [][]cell) []int {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(c.text))
		}
	}
	return widths
}

func tableLine(style format.Style, row []cell, widths []int) string {
	var line strings.Builder
	for i, c := range row {
		if i > 0 {
			line.WriteString("  ")
		}
		fill := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(c.text)))
		if c.right {
			line.WriteString(fill)
		}
		line.WriteString(style.Paint(c.color, c.text))
		if !c.right {
			line.WriteString(fill)
		}
	}
	return strings.TrimRight(line.String(), " ")
}

// figureTable writes a table whose first row is a heading and whose first columns are names; the others have figures. When it
// is wider than the style allows, each row becomes a line with its names, and its figures below, each after its heading.
func figureTable(b *strings.Builder, style format.Style, indent string, names int, rows [][]cell) {
	if tableWidth(indent, rows) <= style.Columns() {
		table(b, style, indent, rows)
		return
	}
	heads := make([][]cell, len(rows))
	for i, row := range rows {
		heads[i] = slices.Clone(row[:names])
	}
	shortenNames(style, indent, heads, 0)
	widths := columnWidths(heads)
	for i, row := range rows {
		tableRow(b, style, indent, heads[i], widths)
		if i > 0 {
			b.WriteString(figureLines(style, indent+"    ", rows[0][names:], row[names:]))
		}
	}
}

// tableWidth is how many columns the longest row of a table takes.
func tableWidth(indent string, rows [][]cell) int {
	width := runewidth.StringWidth(indent) - 2
	for _, w := range columnWidths(rows) {
		width += w + 2
	}
	return width
}

// figureLines writes figures after their headings, as many in a line as fit.
func figureLines(style format.Style, indent string, headings, figures []cell) string {
	var b strings.Builder
	line := ""
	for i, c := range figures {
		if c.text == "" || c.text == "–" {
			continue
		}
		f := headings[i].text + " " + c.text
		switch {
		case line == "":
			line = f
		case runewidth.StringWidth(indent+line+", "+f+",") > style.Columns():
			b.WriteString(indent + line + ",\n")
			line = f
		default:
			line += ", " + f
		}
	}
	if line != "" {
		b.WriteString(indent + line + "\n")
	}
	return b.String()
}

// shorten cuts a name to a width and keeps the part that distinguishes names: the end of a qualified one, such as a gRPC method
// or a dotted topic, also after a first word such as an HTTP method. Other text keeps its beginning.
func shorten(name string, width int) string {
	if runewidth.StringWidth(name) <= width {
		return name
	}
	first, rest, two := strings.Cut(name, " ")
	if two {
		first += " "
	} else {
		first, rest = "", name
	}
	room := width - runewidth.StringWidth(first)
	if strings.Contains(rest, " ") || !strings.ContainsAny(rest, "./:") || room < 4 {
		return runewidth.Truncate(name, width, "…")
	}
	return first + runewidth.TruncateLeft(rest, runewidth.StringWidth(rest)-room+1, "…")
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}
