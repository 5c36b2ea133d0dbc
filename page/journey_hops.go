package page

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/report"
)

// Limits of the headers on a page.
const (
	maxHops       = 60
	maxHopHeaders = 80
	headerLimit   = 600 // bytes of one value
)

// hopsView is what crossed the hops of a journey.
type hopsView struct {
	Hops []hopView
	More int // hops that are not shown
}

// hopView is what crossed one hop.
type hopView struct {
	Title string
	Lines []headerView
	Notes []string
	More  int // headers that are not shown
}

// headerView is a header, or one member of its list, as it crossed a hop.
type headerView struct {
	Name  string
	Parts []headerPart
	Hex   string // its bytes, where some are not printable
	Mark  string // joined, changed, left behind; "" as at the hop before
	Note  string
}

// headerPart is a piece of a value.
type headerPart struct {
	Text    string
	Changed bool // against the hop before
}

// hopsOf shows the headers of a journey's hops, or of those of one span, and of so many at the most.
func hopsOf(j *journey.Journey, only journey.SpanID, most int) hopsView {
	var v hopsView
	set := j.Set()
	for _, h := range report.HeadersOf(j) {
		if !only.IsZero() && set.Span(h.From).ID != only && set.Span(h.To).ID != only {
			continue
		}
		if len(v.Hops) >= most {
			v.More++
			continue
		}
		v.Hops = append(v.Hops, newHopView(h))
	}
	return v
}

func newHopView(h report.HopHeaders) hopView {
	v := hopView{Title: clip(h.Title, 3*nameLimit)}
	for _, note := range h.Notes {
		v.Notes = append(v.Notes, clip(note, headerLimit))
	}
	for _, line := range h.Lines {
		if len(v.Lines) == maxHopHeaders {
			v.More++
			continue
		}
		words := map[string]string{"+": "joined", "~": "changed", "-": "left behind"}
		v.Lines = append(v.Lines, headerView{
			Name: clip(line.Name, nameLimit), Parts: partsOf(line), Hex: hexOf(line.Raw), Mark: words[line.Mark], Note: clip(line.Note, headerLimit),
		})
	}
	return v
}

// partsOf splits a value where it differs from the hop before: a traceparent by its fields, a member of a list by its name and the rest.
func partsOf(line report.HeaderLine) []headerPart {
	value := clip(line.Value, headerLimit)
	if line.Mark == "+" || line.Mark == "~" && line.Was == "" {
		return []headerPart{{value, true}}
	}
	if line.Mark != "~" {
		return []headerPart{{value, false}}
	}
	separator := "="
	if line.Name == "traceparent" {
		separator = "-"
	}
	now, was := strings.Split(value, separator), strings.Split(clip(line.Was, headerLimit), separator)
	if len(now) != len(was) {
		return []headerPart{{value, true}}
	}
	var parts []headerPart
	for k, text := range now {
		if k > 0 {
			parts = append(parts, headerPart{separator, false})
		}
		parts = append(parts, headerPart{text, text != was[k]})
	}
	return parts
}
