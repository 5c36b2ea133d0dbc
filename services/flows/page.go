package flows

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageHTML string

// WriteHTML writes a flow as a page that needs nothing else: the same as WriteText, as tables.
func (f *Flow) WriteHTML(w io.Writer) error { return f.writePage(w, "flow") }

// WriteDrawing writes the same as a part of another page, which gives it a style and a heading.
func (f *Flow) WriteDrawing(w io.Writer) error { return f.writePage(w, "drawing") }

// writePage writes a template of the page.
func (f *Flow) writePage(w io.Writer, name string) error {
	page, err := template.New("flow").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("page of a flow: %w", err)
	}
	type line struct {
		Prefix, Step, Cost, Topic, Remark string
		By                                []string
	}
	data := struct {
		*Flow
		Request string
		Lines   []line
		Answers []string
		Notes   []string
	}{Flow: f, Request: f.request(), Notes: f.notes()}
	for _, p := range f.places() {
		l := line{Prefix: strings.ReplaceAll(p.prefix, " ", "\u00a0"), Step: string(p.row.Step), Cost: p.row.cost(), Topic: p.row.Message, Remark: p.row.remark()}
		for _, c := range f.Columns {
			l.By = append(l.By, f.cell(c, p.row.Step))
		}
		data.Lines = append(data.Lines, l)
	}
	for _, c := range f.Columns {
		data.Answers = append(data.Answers, c.answers(f))
	}
	if err := page.ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("write the page of a flow: %w", err)
	}
	return nil
}
