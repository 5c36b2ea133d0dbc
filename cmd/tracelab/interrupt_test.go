package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// interrupting is standard input that says nothing: it interrupts the program when that begins to read.
type interrupting struct {
	io.Reader
	interrupt func()
}

// Read implements io.Reader.
func (i interrupting) Read(to []byte) (int, error) {
	i.interrupt()
	return i.Reader.Read(to)
}

// TestReadingEndsAtTheFirstInterrupt, whatever it waits for.
func TestReadingEndsAtTheFirstInterrupt(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"journey", "-"}, {"compare", "-", "/dev/null"}, {"lint", "-"}, {"predict", "-", "--message", "payment.Charge"}, {"flow", "from", "-"}} {
		silence, writer := io.Pipe()
		ctx, interrupt := context.WithCancel(t.Context())
		patience := time.AfterFunc(10*time.Second, func() { _ = writer.Close() })
		var out, talk bytes.Buffer
		if status := run(ctx, args, interrupting{silence, interrupt}, &out, &talk); status != exitNotSo || !strings.Contains(talk.String(), "interrupted") {
			t.Errorf("%q: status %d, %q, want it interrupted", args, status, talk.String())
		}
		patience.Stop()
		_ = writer.Close()
	}
}
