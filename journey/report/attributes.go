package report

import (
	"iter"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
)

// attributeRows returns a span's attributes as rows of the tree, to be written below it.
func attributeRows(j *journey.Journey, n treeNode) [][]cell {
	var rows [][]cell
	span := j.Set().Span(n.span)
	indent := strings.Repeat("  ", min(n.depth, 30)+2)
	for _, a := range span.Attributes {
		rows = append(rows, []cell{left(""), left(""), left(indent + format.Escape(a.Key) + " = " + format.Escape(a.Value.String()))})
	}
	return rows
}

// attributeDocument has a span's attributes as text.
type attributeDocument struct {
	Span       string            `json:"span"`
	Service    string            `json:"service"`
	Name       string            `json:"name"`
	Attributes map[string]string `json:"attributes"`
}

func attributeDocuments(j *journey.Journey) iter.Seq[attributeDocument] {
	return func(yield func(attributeDocument) bool) {
		for _, i := range j.Spans() {
			span := j.Set().Span(i)
			d := attributeDocument{span.ID.String(), span.Service, span.Name, make(map[string]string, len(span.Attributes))}
			for _, a := range span.Attributes {
				d.Attributes[a.Key] = a.Value.String()
			}
			if !yield(d) {
				return
			}
		}
	}
}

// attributesView shows a span's attributes on a page.
type attributesView struct {
	Title string
	Rows  [][2]string
}

// attributeViews shows the attributes of the spans that are in the tree.
func attributeViews(j *journey.Journey) []attributesView {
	var list []attributesView
	for _, n := range treeNodes(j, maxTreeSpans) {
		span := j.Set().Span(n.span)
		v := attributesView{Title: format.Escape(span.Service + " " + span.Name)}
		for _, a := range span.Attributes {
			v.Rows = append(v.Rows, [2]string{format.Escape(a.Key), format.Escape(a.Value.String())})
		}
		if len(v.Rows) > 0 {
			list = append(list, v)
		}
	}
	return list
}
