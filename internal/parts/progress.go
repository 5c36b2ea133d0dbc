//go:build linux || darwin

package parts

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// progressInterval is between two words about a build that goes on.
const progressInterval = 5 * time.Second

// progress tells a person that a build goes on, and what it does: the last line of the compiler's output.
type progress struct {
	mu   sync.Mutex
	last []byte
}

// startProgress tells talk about the build of a program every few seconds, until stop is called. A build that is over by then says nothing.
func startProgress(name string, talk io.Writer) (_ *progress, stop func()) {
	p := &progress{}
	if talk == nil {
		return p, func() {}
	}
	began, done := time.Now(), make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		ticks := time.NewTicker(progressInterval)
		defer ticks.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticks.C:
				_, _ = fmt.Fprintf(talk, "building %s, once (minutes): %v%s\n", name, time.Since(began).Round(time.Second), p.line())
			}
		}
	})
	return p, func() { close(done); telling.Wait() }
}

// Write takes output of the compiler.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if last := bytes.TrimSpace(lines[len(lines)-1]); len(last) > 0 {
		p.last = bytes.Clone(last[:min(len(last), 80)])
	}
	return len(text), nil
}

// line is the last line that the compiler wrote, behind a comma; "" before the first.
func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == 0 {
		return ""
	}
	return ", " + string(bytes.ToValidUTF8(p.last, nil))
}
