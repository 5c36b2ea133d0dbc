package page

import (
	"fmt"
	"time"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/report"
	"tracelab/services"
)

const (
	// maxPieces is how many pieces behind a broken context a page shows, pieceRows how many spans of each.
	maxPieces, pieceRows = 12, 20
)

// behindView is what came behind the hops at which a unit's trace context broke: nothing in its journey leads there.
type behindView struct {
	Pieces []pieceView
	Spans  int    // in all pieces
	More   int    // pieces that are not shown
	Hops   string // address of what crossed their hops
}

// pieceView is one piece: a journey of its own.
type pieceView struct {
	Title    string
	Timeline *report.Timeline
	Hops     hopsView
}

// addBehind adds the pieces behind a broken context, drawn or with their hops, and the chosen span when it is in one of them. While spans may still
// come, the one that leads to a piece may be among them: then there is none.
func (p *journeyPage) addBehind(k knownJourney, q journeyQuery) {
	if !k.Final {
		return
	}
	left := maxHops - len(p.Hops.Hops)
	for _, j := range report.Behind(k.Journey) {
		p.Behind.Spans += j.Len()
		if len(p.Behind.Pieces) == maxPieces {
			p.Behind.More++
			continue
		}
		piece := pieceView{Title: fmt.Sprintf("%s after the start, in trace %s", format.Duration(time.Duration(j.Start()-k.Journey.Start())), j.Set().Span(report.FirstSpan(j)).Trace)}
		switch q.Tab {
		case tabSpans:
			piece.Timeline = drawPiece(j, q)
			if p.Span == nil {
				p.Span = spanOf(drawnJourney{Form: k.Form, Of: j}, q, k.Came, k.Jaeger)
			}
		case tabHeaders:
			piece.Hops = hopsOf(j, journey.SpanID{}, left)
			left -= len(piece.Hops.Hops)
		}
		p.Behind.Pieces = append(p.Behind.Pieces, piece)
	}
	p.Behind.Hops = q.withTab(tabHeaders)
}

// drawPiece draws a piece on an axis of its own.
func drawPiece(j *journey.Journey, q journeyQuery) *report.Timeline {
	set := j.Set()
	t := report.NewTimeline(j, report.TimelineOptions{
		Rows: pieceRows, Edges: true, Chosen: q.Span,
		Href: func(i journey.Index) string { return q.withSpan(set.Span(i).ID) },
		Step: func(s *journey.Span) bool { _, ok := s.Attr(services.KeyStep); return ok },
	})
	t.Answer = nil // it is not the caller's
	return t
}
