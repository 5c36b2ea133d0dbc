package lab

import (
	"fmt"
	"io"
	"strings"

	"tracelab/journey/format"
)

// WriteMarkdown writes the report for a comment on a pull request, or a job's summary: the figures of WriteText, its tables as tables, and its
// pictures as they are.
func (r *Result) WriteMarkdown(w io.Writer) error {
	var b, head strings.Builder
	r.headline(&head)
	title, about, _ := strings.Cut(strings.TrimSpace(head.String()), "\n")
	fmt.Fprintf(&b, "### %s\n\n", format.Markdown(title))
	for line := range strings.Lines(about) {
		fmt.Fprintf(&b, "%s  \n", format.Markdown(strings.TrimSpace(line))) // two blanks break a line
	}
	b.WriteString("\n")
	r.markdownTable(&b, "median [95 % interval]", r.measureRows())
	r.markdownTable(&b, r.unit().many(), r.orderRows())
	if list := r.differenceRows(); len(list) > 0 {
		fmt.Fprintf(&b, "| against %s, %s by %[2]s | | |\n|---|---|---|\n", format.Markdown(string(r.comparedWith())), r.unit())
		for _, d := range list {
			markdownRow(&b, []string{d.form, d.measure, d.words})
		}
		b.WriteString("\n")
	}
	if r.isFelt() {
		r.markdownTable(&b, "who feels the fault", r.feltRows())
	}
	r.markdownRemarks(&b)
	for _, part := range []struct {
		title string
		write func(*strings.Builder)
	}{
		{"The square", r.square}, {"How stale the view is", r.stalenessText}, {"Calls", r.callCounts}, {"What the faults did", r.firedAlone}, {"What was done to parts of the lab", r.weather},
		{"The relation", r.relationChanged}, {"Where the time went", func(b *strings.Builder) { r.pictures(b, format.Style{Width: markdownWidth}) }},
		{"CPU time", r.cpu}, {"In Jaeger", r.pages}, {"Next", r.next},
	} {
		var text strings.Builder
		part.write(&text)
		markdownDetails(&b, part.title, text.String())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownWidth is how wide pictures are, in columns: a comment shows about a hundred.
const markdownWidth = 100

// markdownTable writes rows with a cell for each form.
func (r *Result) markdownTable(b *strings.Builder, title string, rows []row) {
	cells, lines := []string{title}, "|---|"
	for _, form := range r.forms() {
		cells, lines = append(cells, string(form)), lines+"--:|"
	}
	markdownRow(b, cells)
	b.WriteString(lines + "\n")
	for _, row := range rows {
		cells := []string{strings.TrimSpace(row.name)}
		for _, form := range r.forms() {
			cells = append(cells, row.cell(r.Forms[form]))
		}
		markdownRow(b, cells)
	}
	b.WriteString("\n")
}

func markdownRow(b *strings.Builder, cells []string) {
	for _, cell := range cells {
		fmt.Fprintf(b, "| %s ", format.Markdown(cell))
	}
	b.WriteString("|\n")
}

// markdownRemarks writes what is said of the run as a list, what is wrong with it in bold.
func (r *Result) markdownRemarks(b *strings.Builder) {
	var remarks strings.Builder
	r.remarks(&remarks)
	for line := range strings.Lines(remarks.String()) {
		line = format.Markdown(strings.TrimSpace(line))
		if problem, ok := strings.CutPrefix(line, "PROBLEM: "); ok {
			line = "**PROBLEM: " + problem + "**"
		}
		if line != "" {
			fmt.Fprintf(b, "- %s\n", line)
		}
	}
	b.WriteString("\n")
}

// markdownDetails writes text as it is, below a title that unfolds it. The fence is longer than any in the text.
func markdownDetails(b *strings.Builder, title, text string) {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	fmt.Fprintf(b, "<details><summary>%s</summary>\n\n%stext\n%s\n%s\n\n</details>\n\n", title, fence, text, fence)
}
