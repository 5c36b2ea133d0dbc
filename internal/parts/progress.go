//go:build linux || darwin

package parts

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// progressInterval is the time between two lines about one build.
const progressInterval = 5 * time.Second

// progressWriter takes the compiler's output and keeps its last line, to tell a person what a build is doing.
type progressWriter struct {
	mu   sync.Mutex
	last []byte
}

// startProgress writes a line about the build of a program every few seconds, until stop is called. A short build writes none.
func startProgress(name string, progress io.Writer) (_ *progressWriter, stop func()) {
	p := &progressWriter{}
	if progress == nil {
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
				_, _ = fmt.Fprintf(progress, "building %s, once (minutes): %v%s\n", name, time.Since(began).Round(time.Second), p.line())
			}
		}
	})
	return p, func() { close(done); telling.Wait() }
}

// Write takes output of the compiler.
func (p *progressWriter) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if last := bytes.TrimSpace(lines[len(lines)-1]); len(last) > 0 {
		p.last = bytes.Clone(last[:min(len(last), 80)])
	}
	return len(text), nil
}

// line is the last line that the compiler wrote, behind a comma; "" before the first.
func (p *progressWriter) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == 0 {
		return ""
	}
	return ", " + string(bytes.ToValidUTF8(p.last, nil))
}
