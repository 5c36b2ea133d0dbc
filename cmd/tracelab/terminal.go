package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"tracelab/journey/format"
	"tracelab/lab"
)

// Widths of text in columns.
const (
	maxWidth  = 140 // on a terminal, however wide it is
	pipeWidth = 120 // elsewhere
)

// terminalOf returns how text to w may look: plain in a pipe, on a dumb terminal, and where NO_COLOR is set.
func terminalOf(w io.Writer) format.Style {
	file, ok := isTerminal(w)
	if !ok {
		return format.Style{Width: pipeWidth}
	}
	style := format.Style{Fit: true, Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		style.Width = min(width, maxWidth)
	}
	return style
}

// progress is one line on a terminal that says how far a command has come. Elsewhere it writes nothing.
type progress struct {
	mu    sync.Mutex
	out   io.Writer // nil when it is not a terminal
	began time.Time // the placing of orders
	first int       // orders that had their answer then
}

func newProgress(w io.Writer) *progress {
	if screen, ok := w.(*screenWriter); ok {
		w = screen.to // the line is moved back to its beginning
	}
	if _, ok := isTerminal(w); ok && os.Getenv("TERM") != "dumb" {
		return &progress{out: w}
	}
	return &progress{}
}

// show replaces the line. It is called by several goroutines.
func (p *progress) show(at lab.Progress) {
	line := at.Stage
	if at.Orders > 0 {
		line = fmt.Sprintf("%s: %d of %d answered%s", at.Stage, at.Answered, at.Orders, p.left(at, time.Now()))
	}
	p.line(line)
}

// leastAnswered is how many orders must have their answer before the time that is left is told: the first ones say nothing of it.
const leastAnswered = 10

// left says how long the other orders take, if they are answered as fast as those before them.
func (p *progress) left(at lab.Progress, now time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Stage != lab.StagePlacing || at.Answered >= at.Orders {
		return ""
	}
	if p.began.IsZero() {
		p.began, p.first = now, at.Answered
	}
	since := at.Answered - p.first
	if since < leastAnswered {
		return ""
	}
	return fmt.Sprintf("; about %.0f s left", now.Sub(p.began).Seconds()/float64(since)*float64(at.Orders-at.Answered))
}

// line replaces the line by a text.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", text) // the report matters, not this
	}
}

// clear removes the line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
		p.out = nil
	}
}
