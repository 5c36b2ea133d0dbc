package main

import (
	"path"

	"tracelab/internal/palette"
	"tracelab/journey/format"
	"tracelab/journey/report"
)

// formColor gives a group the color of the form that its name is, or ends in: RUN/kafka. Other groups have none.
func formColor(group string) report.GroupColor {
	color, ok := palette.Form(path.Base(group))
	if !ok {
		return report.GroupColor{}
	}
	return report.GroupColor{Hex: color.Hex, Terminal: format.Color(color.Escape())}
}
