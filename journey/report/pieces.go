package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
)

// piece is one row of a picture or table of a path: a segment, or several short ones that follow each other.
type piece struct {
	journey.Segment
	service, name string
	merged        int               // how many segments it stands for; 0 for one
	beside        bool              // in parallel to the path
	starved       []journey.Segment // when nobody worked in it, as there was no CPU; in their order in time
}

// maxWaitRows bounds the waits that have rows of their own however short they are.
const maxWaitRows = 200

// selection is a path as rows, with a count of what is in none of them.
type selection struct {
	rows    []piece
	omitted int // segments
	time    time.Duration
	waits   bool // short waits are among those that are merged or omitted
}

// pieces makes rows of a path. It merges adjacent pieces of work under 1 % of the path, and leaves out and counts what is
// still under 1 % then. Each wait has a row, however short, as it separates messages, unless there are too many: then waits
// are treated like work. Time without CPU is a part of the work that it interrupts.
func pieces(set *journey.Set, path []journey.Segment) selection {
	if len(path) == 0 {
		return selection{}
	}
	return piecesOver(set, path, (path[len(path)-1].End-path[0].Start)/100)
}

// piecesOver is pieces with a limit other than 1 %.
func piecesOver(set *journey.Set, path []journey.Segment, limit time.Duration) selection {
	var s selection
	whole := uninterrupted(path)
	waits := 0
	for _, g := range whole {
		if g.Wait {
			waits++
		}
	}
	s.waits = waits > maxWaitRows
	small := func(g stretch) bool { return (s.waits || !g.Wait) && g.Duration() < limit }
	for i := 0; i < len(whole); {
		if !small(whole[i]) {
			s.rows = append(s.rows, single(set, whole[i]))
			i++
			continue
		}
		n := 1
		for i+n < len(whole) && small(whole[i+n]) {
			n++
		}
		run := whole[i : i+n]
		i += n
		if length := run[n-1].End - run[0].Start; length < limit {
			s.omitted += n
			s.time += length
		} else {
			s.rows = append(s.rows, several(set, run))
		}
	}
	return s
}

// stretch is a segment of a path, with the time in it that had no CPU.
type stretch struct {
	journey.Segment
	starved []journey.Segment
}

// uninterrupted joins the pieces of a span's work with the starved time between and around them.
func uninterrupted(path []journey.Segment) []stretch {
	var list []stretch
	for _, g := range path {
		idle := g.Wait && g.Class == journey.ClassStarved
		if n := len(list); n > 0 && !list[n-1].Wait && list[n-1].Span == g.Span && (idle || !g.Wait && len(list[n-1].starved) > 0) {
			list[n-1].End = g.End
		} else {
			if idle {
				g.Wait, g.Class = false, 0
			}
			list = append(list, stretch{Segment: g})
		}
		if idle {
			last := &list[len(list)-1]
			last.starved = append(last.starved, g)
		}
	}
	return list
}

// starvedTime is how long a path had no CPU.
func starvedTime(path []journey.Segment) (sum time.Duration) {
	for _, g := range path {
		if g.Wait && g.Class == journey.ClassStarved {
			sum += g.Duration()
		}
	}
	return sum
}

func single(set *journey.Set, g stretch) piece {
	span := set.Span(g.Span)
	p := piece{Segment: g.Segment, service: format.Escape(span.ServiceName()), name: format.Escape(span.Name), starved: g.starved}
	if g.Wait {
		p.name = waitName(set, g.Segment)
	}
	return p
}

func several(set *journey.Set, run []stretch) piece {
	g := run[0].Segment
	g.End, g.Wait = run[len(run)-1].End, false
	var services []string
	var starved []journey.Segment
	for _, s := range run {
		starved = append(starved, s.starved...)
		if name := format.Escape(set.Span(s.Span).ServiceName()); len(services) < 5 && !slices.Contains(services, name) {
			services = append(services, name)
		}
	}
	return piece{Segment: g, service: strings.Join(services, ", "), name: fmt.Sprintf("%d short pieces", len(run)), merged: len(run), starved: starved}
}

// waitName says in words what a wait was for.
func waitName(set *journey.Set, g journey.Segment) string {
	switch g.Class {
	case journey.ClassMessage:
		return strings.TrimRight("queue "+destination(set, g.Span, g.From), " ")
	case journey.ClassBatch:
		return strings.TrimRight("rest of the batch "+destination(set, g.Span, g.From), " ")
	case journey.ClassUnexplained:
		return "unexplained"
	default:
		return "wait: " + g.Class.String()
	}
}

// destination returns the topic of the first of the spans that names one.
func destination(set *journey.Set, spans ...journey.Index) string {
	for _, i := range spans {
		if topic := set.Topic(i); topic != "" {
			return format.Escape(topic)
		}
	}
	return ""
}

// glyph is what a piece is drawn with, and its color.
func (p piece) glyph() (glyph string, color format.Color) {
	switch {
	case p.beside:
		return "▓", format.Plain
	case p.merged > 0:
		return "▪", format.Plain
	case !p.Wait:
		return "█", format.Green
	case p.Class == journey.ClassMessage:
		return "░", format.Yellow
	case p.Class == journey.ClassBatch:
		return "▒", format.Yellow
	}
	return "┄", format.Cyan
}

// note says what is in no row, or returns "" when everything is in one.
func (s selection) note(total time.Duration) string {
	if s.omitted == 0 {
		return ""
	}
	what, each := "pieces of work", " each, together"
	switch {
	case s.omitted == 1:
		what, each = "piece", ","
	case s.waits:
		what = "pieces of work and waits"
	}
	return fmt.Sprintf("not shown: %d %s under 1 %% of the total%s %s (%s)", s.omitted, what, each, format.Duration(s.time), percent(int64(s.time), int64(total)))
}
