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
	fmt.Fprintf(b, "What was done to parts of the lab, from the first %s's start:\n", r.unit())
	for _, line := range lines {
		wrapped(b, "  "+line)
	}
	b.WriteString("\n")
}

// wrapped writes a line, broken between words where it is wider than the report's sentences; what follows stands two columns further in.
func wrapped(b *strings.Builder, line string) {
	text := strings.TrimLeft(line, " ")
	indent := strings.Repeat(" ", len(line)-len(text))
	at := indent
	for word := range strings.FieldsSeq(text) {
		switch {
		case strings.TrimSpace(at) == "":
			at += word
		case len([]rune(at))+1+len([]rune(word)) > textWidth:
			b.WriteString(at + "\n")
			at = indent + "  " + word
		default:
			at += " " + word
		}
	}
	b.WriteString(at + "\n")
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
	lines = append(lines, r.linkLines()...)
	for _, f := range r.Felt {
		lines = append(lines, f.lines(r.unit(), r.forms())...)
	}
	return lines
}
