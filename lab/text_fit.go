package lab

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"tracelab/journey/format"
	"tracelab/services"
)

// blocks divides the forms so that the columns of each block fit, and every block has one at least.
func (r *Result) blocks(rows []row) [][]services.Form {
	forms := r.forms()
	if r.columns == 0 {
		return [][]services.Form{forms}
	}
	names := 0
	for _, row := range rows {
		for _, name := range r.nameLines(row.name) {
			names = max(names, utf8.RuneCountInString(name)+4)
		}
	}
	var blocks [][]services.Form
	used := 0
	for _, form := range forms {
		width := utf8.RuneCountInString(string(form))
		for _, row := range rows {
			width = max(width, utf8.RuneCountInString(row.cell(r.Forms[form])))
		}
		if width += 3; len(blocks) == 0 || used+width > r.columns {
			blocks, used = append(blocks, nil), names
		}
		last := len(blocks) - 1
		blocks[last], used = append(blocks[last], form), used+width
	}
	return blocks
}

// nameLines breaks the name of a row that would take more than a third of the columns.
func (r *Result) nameLines(name string) []string {
	if r.columns == 0 {
		return []string{name}
	}
	return format.Wrap(name, r.columns/3)
}

// escapes are ANSI colors, which take no column.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// fit breaks the lines that are wider than so many columns. Where a line has columns of its own, the last of them goes on below itself, or, when it
// begins too far to the right, on a line of its own: what stands in front of it may be a command, and stays whole.
func fit(text string, columns int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if utf8.RuneCountInString(escapes.ReplaceAllString(line, "")) <= columns {
			b.WriteString(line + "\n")
			continue
		}
		words := strings.TrimLeft(line, " ")
		indent := strings.Repeat(" ", len(line)-len(words))
		head, last := indent, words
		if at := strings.LastIndex(words, "  "); indent != "" && at >= 0 {
			head, last = indent+words[:at+2], words[at+2:]
		}
		hanging := indent + "  "
		switch width := utf8.RuneCountInString(head); {
		case width > columns/2:
			b.WriteString(strings.TrimRight(head, " ") + "\n")
			head, hanging = indent+"    ", indent+"    "
		case head != indent:
			hanging = strings.Repeat(" ", width)
		}
		b.WriteString(format.Style{Width: columns}.Paragraph(head, hanging, last))
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}
