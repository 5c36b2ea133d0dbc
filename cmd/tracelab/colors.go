package main

import (
	"path"

	"tracelab/journey"
	"tracelab/services"

	"tracelab/internal/palette"
	"tracelab/journey/format"
	"tracelab/journey/report"
)

// formOf returns the form that a journey's root names, or "".
func formOf(j *journey.Journey) string {
	root, ok := j.Root()
	if !ok {
		return ""
	}
	form, _ := j.Set().Span(root).Attr(services.KeyForm)
	return form.String()
}

// formColor gives a group the color of the form that its name is, or ends in: RUN/kafka. Other groups have none.
func formColor(group string) report.GroupColor {
	color, ok := palette.Form(path.Base(group))
	if !ok {
		return report.GroupColor{}
	}
	return report.GroupColor{Hex: color.Hex, Terminal: format.Color(color.Escape())}
}
