package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// A page is one file that needs no other: style, script and pictures are in it. It is readable without the script, which only
// sorts tables. html/template escapes text from traces.
//
//go:embed page
var pageFiles embed.FS

// WriteHTML writes the comparison as one HTML page that needs nothing else: its figures, one order of each group on a
// common time axis with the completion path drawn through it, the distributions of the measures, the structures, and the
// nodes that changed. Findings stand at its end.
func (r Comparison) WriteHTML(w io.Writer) error {
	page := newComparisonPage(r)
	page.About, page.Findings = escaped(r.About), cleaned(r.Findings)
	return writePage(w, "comparison.tmpl", page)
}

func escaped(lines []string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = format.Escape(line)
	}
	return list
}

// cleaned returns findings with their texts escaped for a page.
func cleaned(findings []lint.Finding) []lint.Finding {
	list := slices.Clone(findings)
	for i := range list {
		f := &list[i]
		f.Text, f.Fix = format.Escape(f.Text), format.Escape(f.Fix)
	}
	return list
}

// WriteHTML writes the journey as one HTML page that needs nothing else: its figures, its spans on a time axis with the
// completion path drawn through them, its messages, and both paths as tables. Findings stand at its end.
func (r Journey) WriteHTML(w io.Writer) error {
	page := newJourneyPage(r.journey())
	page.Title = titled(page.Title, format.Escape(r.From))
	page.Group, page.Color = format.Escape(r.Group), r.Color.Hex
	page.About, page.Findings = escaped(r.About), cleaned(r.Findings)
	if r.Headers {
		page.Headers, page.Hops = true, HeadersOf(r.journey())
	}
	if r.Attributes {
		page.Attributes = attributeViews(r.journey())
	}
	return writePage(w, "journey.tmpl", page)
}

// writePage executes a template before it writes anything, so that an error leaves no half of a page.
func writePage(w io.Writer, name string, data any) error {
	style, err := pageFiles.ReadFile("page/style.css")
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	script, err := pageFiles.ReadFile("page/sort.js")
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	functions := template.FuncMap{
		"style":  func() template.CSS { return template.CSS(style) }, //nolint:gosec // our own file
		"script": func() template.JS { return template.JS(script) },  //nolint:gosec // our own file
	}
	t, err := template.New(name).Funcs(functions).ParseFS(pageFiles, "page/*.tmpl")
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// PictureTemplates adds to t the templates of a journey's picture, for pages of others: "timeline" for a Timeline, "hatch" and "arrowhead"
// once before the first of these. They use presentation attributes and classes, and no style of their own.
func PictureTemplates(t *template.Template) (*template.Template, error) {
	if _, err := t.ParseFS(pageFiles, "page/picture.tmpl"); err != nil {
		return nil, fmt.Errorf("picture of a journey: %w", err)
	}
	return t, nil
}

// figure is a number with its name at the head of a page.
type figure struct{ Name, Value, Note string }

// pathRow is a row of a path's table.
type pathRow struct {
	Start, Duration, Share, Service, What string
	Wait                                  bool
}

// pathView is a path as a table.
type pathView struct {
	Title string
	Rows  []pathRow
	Note  string
}

func newPathView(title string, set *journey.Set, path []journey.Segment) pathView {
	v := pathView{Title: title}
	if len(path) == 0 {
		return v
	}
	s := pieces(set, path)
	total := path[len(path)-1].End - path[0].Start
	for _, r := range s.rows {
		v.Rows = append(v.Rows, pathRow{format.Duration(r.Start), format.Duration(r.Duration()), percent(int64(r.Duration()), int64(total)), r.service, r.name, r.Wait})
	}
	v.Note = s.note(total)
	return v
}
