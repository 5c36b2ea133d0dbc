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
	merged        int // how many segments it stands for, when several
}

// pieces makes rows of a path. Work under 1 % of the path is merged where such pieces follow each other; what is still
// under 1 % then is left out, and counted. Waits are rows of their own however short: they are what sets messages apart.
func pieces(set *journey.Set, path []journey.Segment) (rows []piece, omitted int, omittedTime time.Duration) {
	if len(path) == 0 {
		return nil, 0, 0
	}
	return piecesOver(set, path, (path[len(path)-1].End-path[0].Start)/100)
}

// piecesOver makes rows likewise, of work that takes the limit or more.
func piecesOver(set *journey.Set, path []journey.Segment, limit time.Duration) (rows []piece, omitted int, omittedTime time.Duration) {
	small := func(g journey.Segment) bool { return !g.Wait && g.Duration() < limit }
	for i := 0; i < len(path); {
		if !small(path[i]) {
			rows = append(rows, single(set, path[i]))
			i++
			continue
		}
		n := 1
		for i+n < len(path) && small(path[i+n]) {
			n++
		}
		run := path[i : i+n]
		i += n
		if length := run[n-1].End - run[0].Start; length < limit {
			omitted += n
			omittedTime += length
		} else {
			rows = append(rows, several(set, run))
		}
	}
	return rows, omitted, omittedTime
}

func single(set *journey.Set, g journey.Segment) piece {
	span := set.Span(g.Span)
	p := piece{Segment: g, service: format.Escape(span.Service), name: format.Escape(span.Name)}
	if g.Wait {
		p.name = waitName(set, g)
	}
	return p
}

func several(set *journey.Set, run []journey.Segment) piece {
	g := run[0]
	g.End, g.Wait = run[len(run)-1].End, false
	var services []string
	for _, s := range run {
		if name := format.Escape(set.Span(s.Span).Service); !slices.Contains(services, name) && len(services) < 5 {
			services = append(services, name)
		}
	}
	return piece{Segment: g, service: strings.Join(services, ", "), name: fmt.Sprintf("%d short pieces", len(run)), merged: len(run)}
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

// destination returns where a message was, from the first of the spans that says so.
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

func omittedNote(n int, together, total time.Duration) string {
	return fmt.Sprintf("not shown: %d pieces of work under 1 %% of the total each, together %s (%s)", n, format.Duration(together), percent(int64(together), int64(total)))
}
