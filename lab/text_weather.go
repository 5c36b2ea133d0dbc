package lab

import (
	"fmt"
	"strings"
)

// weather says what happened to parts of the lab, and when.
func (r *Result) weather(b *strings.Builder) {
	lines := r.weatherLines()
	if len(lines) == 0 {
		return
	}
	b.WriteString("What was done to parts of the lab, from the first order's start:\n")
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("\n")
}

// weatherLines are a line for each event and each link.
func (r *Result) weatherLines() []string {
	var lines []string
	for _, h := range r.Happened {
		fields := strings.Split(h.Event, ":")
		what := fields[len(fields)-2] + " " + fields[len(fields)-1]
		line := fmt.Sprintf("at %s ms: %s, which took %s ms", significant(h.AtMS), what, significant(h.TookMS))
		if h.Error != "" {
			line += ", and failed: " + h.Error
		}
		lines = append(lines, line)
	}
	return append(lines, r.linkLines()...)
}
