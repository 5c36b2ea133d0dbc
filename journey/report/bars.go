package report

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"tracelab/journey"
	"tracelab/journey/format"
)

// Bounds of the columns of a picture.
const (
	maxServiceWidth = 16
	maxNameWidth    = 30
	minBarWidth     = 20
	numberWidth     = 8 // 51.2 ms
)

// Bars is a picture of a path on one time axis.
type Bars struct {
	Title string
	Set   *journey.Set      // the set of the path's spans
	Path  []journey.Segment // such as Journey.CompletionPath
	Marks []Mark            // moments to point at
	// Beside is work that ran in parallel to the path. It is drawn below it, each piece with a row of its own.
	Beside []journey.Segment
}

// WriteText draws a row for each segment: service, name, bar, start and duration. Work under 1 % of the path is merged or
// left out, and counted below. A style that is too narrow for bars is exceeded.
func (p Bars) WriteText(w io.Writer, style format.Style) error {
	var b strings.Builder
	p.draw(&b, style)
	_, err := io.WriteString(w, b.String())
	return err
}

// Mark points at a moment of a picture, such as the end of the caller's wait.
type Mark struct {
	At   time.Duration // from the journey's start, as segments have them
	Text string
}

// Answer marks the moment at which the caller had its answer; a rootless journey has none.
func Answer(j *journey.Journey) []Mark {
	wait, ok := j.CallerWait()
	if !ok {
		return nil
	}
	return []Mark{{wait, "the caller has its answer"}}
}

func (p Bars) draw(b *strings.Builder, style format.Style) {
	s := pieces(p.Set, p.Path)
	b.WriteString(style.Paint(format.Bold, format.Escape(p.Title)))
	if len(s.rows) == 0 {
		b.WriteString(": nothing to draw\n")
		return
	}
	begin, total := p.Path[0].Start, p.Path[len(p.Path)-1].End-p.Path[0].Start
	var beside []piece
	for _, g := range p.Beside {
		row := single(p.Set, stretch{Segment: g})
		row.beside = true
		beside = append(beside, row)
	}
	pic := newPicture(slices.Concat(s.rows, beside), begin, total, style)
	fmt.Fprintf(b, "  %s in %s\n", format.Duration(total), segments(p.Path))
	pic.axis(b)
	for _, m := range p.Marks {
		pic.mark(b, m)
	}
	for _, r := range slices.Concat(s.rows, beside) {
		pic.row(b, r)
	}
	pic.legend(b)
	if note := s.note(total); note != "" {
		b.WriteString(style.Paragraph("", "  ", note))
	}
}

// segments counts those of a path in words.
func segments(path []journey.Segment) string {
	n := len(uninterrupted(path))
	return fmt.Sprintf("%d %s", n, plural("segment", n))
}

// bothPaths draws the response path and the completion path of a journey on one time axis. It draws equal paths once.
func bothPaths(b *strings.Builder, j *journey.Journey, response, completion []journey.Segment, style format.Style) {
	set := j.Set()
	if len(response) == 0 || slices.Equal(response, completion) || len(completion) == 0 {
		title := "Completion path"
		if len(response) > 0 {
			title = "Both paths: what the caller waited for is all there was"
		}
		Bars{Title: title, Set: set, Path: completion, Marks: Answer(j)}.draw(b, style)
		return
	}
	total := max(response[len(response)-1].End, completion[len(completion)-1].End)
	upper, lower := piecesOver(set, response, total/100), piecesOver(set, completion, total/100)
	p := newPicture(slices.Concat(upper.rows, lower.rows), 0, total, style)
	b.WriteString(style.Paint(format.Bold, "Both paths on one time axis") + "\n")
	p.axis(b)
	for _, m := range Answer(j) {
		p.mark(b, m)
	}
	fmt.Fprintf(b, "response path, %s in %s\n", format.Duration(response[len(response)-1].End), segments(response))
	for _, r := range upper.rows {
		p.row(b, r)
	}
	fmt.Fprintf(b, "completion path, %s in %s\n", format.Duration(completion[len(completion)-1].End), segments(completion))
	for _, r := range lower.rows {
		p.row(b, r)
	}
	p.legend(b)
	both := selection{omitted: upper.omitted + lower.omitted, time: upper.time + lower.time, waits: upper.waits || lower.waits}
	if note := both.note(total); note != "" {
		b.WriteString(style.Paragraph("", "  ", note))
	}
}

// picture has the widths of the columns, and what was drawn.
type picture struct {
	style              format.Style
	begin, total       time.Duration
	service, name, bar int             // widths
	used               map[string]bool // by glyph, for the legend
}

func newPicture(rows []piece, begin, total time.Duration, style format.Style) *picture {
	p := &picture{style: style, begin: begin, total: total, used: make(map[string]bool)}
	for _, r := range rows {
		p.service = min(maxServiceWidth, max(p.service, runewidth.StringWidth(r.service)))
		p.name = min(maxNameWidth, max(p.name, runewidth.StringWidth(r.name)))
	}
	room := style.Columns() - p.service - 2*numberWidth - 5
	p.name = max(min(p.name, room-minBarWidth), 1)
	p.bar = max(minBarWidth, room-p.name)
	return p
}

// axis writes a line over the bars: 0, the middle and the end of the time.
func (p *picture) axis(b *strings.Builder) {
	middle, end := format.Duration(p.total/2), format.Duration(p.total)
	line := "0"
	if at := p.bar/2 - runewidth.StringWidth(middle)/2; at+runewidth.StringWidth(middle+" "+end) <= p.bar {
		line = runewidth.FillRight(line, at) + middle
	}
	line = runewidth.FillRight(line, p.bar-runewidth.StringWidth(end)) + end
	fmt.Fprintf(b, "%s %s %*s %*s\n", strings.Repeat(" ", p.service+p.name+1), line, numberWidth, "start", numberWidth+1, "duration")
}

// mark writes a line that points at a moment, its text on the side where there is room.
func (p *picture) mark(b *strings.Builder, m Mark) {
	text := format.Escape(m.Text)
	at := min(p.column(m.At), p.bar-1)
	before := p.service + p.name + 2 + at // columns, those of the names too
	room := runewidth.StringWidth(text) + 1
	if before >= room && at+1+room > p.bar {
		fmt.Fprintf(b, "%s%s ▼\n", strings.Repeat(" ", before-room), text)
		return
	}
	fmt.Fprintf(b, "%s▼ %s\n", strings.Repeat(" ", before), text)
}

func (p *picture) row(b *strings.Builder, r piece) {
	glyph, color := r.glyph()
	from := min(p.column(r.Start), p.bar-1)
	to := max(from+1, p.column(r.End))
	bar := strings.Repeat(" ", from)
	for starved, n := range p.dithered(r, from, to) {
		drawn, in := glyph, color
		if starved {
			drawn, in = noCPU, format.Red
		}
		p.used[drawn] = true
		bar += p.style.Paint(in, strings.Repeat(drawn, n))
	}
	bar += strings.Repeat(" ", p.bar-to)
	fmt.Fprintf(b, "%s %s %s %s %s\n",
		runewidth.FillRight(shorten(r.service, p.service), p.service),
		runewidth.FillRight(shorten(r.name, p.name), p.name),
		bar,
		runewidth.FillLeft(format.Duration(r.Start-p.begin), numberWidth),
		runewidth.FillLeft(format.Duration(r.Duration()), numberWidth+1))
}

// noCPU is what starved time is drawn with.
const noCPU = "×"

// dithered splits the columns of a row's bar into runs with and without starved time. Where gaps are shorter than a column, as many columns are starved as the
// gaps have together, spread over the bar as they are.
func (p *picture) dithered(r piece, from, to int) iter.Seq2[bool, int] {
	return func(yield func(bool, int) bool) {
		owed, last, n := 0.0, false, 0
		for column := from; column < to; column++ {
			owed += p.starvedShare(r, column)
			idle := owed >= 0.5
			if idle {
				owed--
			}
			if n > 0 && idle != last {
				if !yield(last, n) {
					return
				}
				n = 0
			}
			last, n = idle, n+1
		}
		if n > 0 {
			yield(last, n)
		}
	}
}

// starvedShare is how much of a row's time in a column was starved, from 0 to 1.
func (p *picture) starvedShare(r piece, column int) float64 {
	width := float64(p.total) / float64(p.bar)
	begin := float64(p.begin) + float64(column)*width
	within := func(g journey.Segment) float64 {
		return max(0, min(float64(g.End), begin+width)-max(float64(g.Start), begin))
	}
	whole, part := within(r.Segment), within
	if whole == 0 { // the row's bar is rounded into this column
		whole, part = float64(r.Duration()), func(g journey.Segment) float64 { return float64(g.Duration()) }
	}
	var sum float64
	for _, g := range r.starved {
		sum += part(g)
	}
	return sum / max(1, whole)
}

// column returns the column of a time, rounded, from 0 to the width of the bars.
func (p *picture) column(t time.Duration) int {
	share := (float64(t) - float64(p.begin)) / float64(max(1, p.total))
	return int(min(1, max(0, share))*float64(p.bar) + 0.5)
}

func (p *picture) legend(b *strings.Builder) {
	explained := [][2]string{
		{"█", "work"}, {"░", "in a queue"}, {"▒", "waiting for the rest of a batch"}, {"┄", "other waits"}, {noCPU, "no CPU"}, {"▪", "several short pieces"}, {"▓", "in parallel, on no path"},
	}
	var words []string
	for _, l := range explained {
		if p.used[l[0]] {
			words = append(words, l[0]+" "+l[1])
		}
	}
	b.WriteString(strings.Join(words, "   ") + "\n")
}
