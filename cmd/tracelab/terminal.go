package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"tracelab/journey/format"
	"tracelab/lab"
)

// widest is how wide a picture may get, on a terminal that is wider.
const widest = 140

// pipeWidth is how wide text gets where no terminal says.
const pipeWidth = 120

// terminalOf finds out how text may look there: plain in a pipe, on a dumb terminal, and where NO_COLOR is set.
func terminalOf(w io.Writer) format.Style {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return format.Style{Width: pipeWidth}
	}
	style := format.Style{Color: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		style.Width = min(width, widest)
	}
	return style
}

// progress is one line on a terminal that says how far a run has come. Elsewhere it is silent.
type progress struct {
	mu  sync.Mutex
	out io.Writer // nil: silent
}

func newProgress(w io.Writer) *progress {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		return &progress{out: w}
	}
	return &progress{}
}

// show replaces the line. It is called by several goroutines.
func (p *progress) show(at lab.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	line := at.Stage
	if at.Orders > 0 {
		line = fmt.Sprintf("%s: %d of %d answered", at.Stage, at.Answered, at.Orders)
	}
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", line) // the report matters, not this
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
		p.out = nil
	}
}
