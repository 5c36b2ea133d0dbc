package source

import "bytes"

// This file reads on where a frame is longer than what a framer holds.

// more returns what the input has ready. It is consumed by the next call, or by resume.
func (f *framer) more() ([]byte, error) {
	f.consume(f.peeked)
	if _, err := f.in.Peek(1); err != nil {
		return nil, err
	}
	piece, err := f.in.Peek(f.in.Buffered())
	f.peeked = len(piece)
	return piece, err
}

// consume passes over bytes that were peeked at, and counts their lines.
func (f *framer) consume(n int) {
	f.peeked = 0
	if n == 0 {
		return
	}
	piece, _ := f.in.Peek(n) // they are in the buffer
	if !f.midLine {
		f.line++
	}
	f.line += bytes.Count(piece[:n-1], []byte{'\n'})
	f.midLine = piece[n-1] != '\n'
	_, _ = f.in.Discard(n)
}

// resume goes on behind an object that was read through a window. Rest is what the window holds and did not use.
func (f *framer) resume(rest []byte) {
	behind := max(0, len(rest)-f.peeked) // of what came before the newest piece
	f.buf = bytes.Clone(rest[:behind])
	f.consume(f.peeked - (len(rest) - behind))
	f.pos, f.depth, f.start = 0, 0, f.line
}

// skipObject passes over the rest of an object that is damaged, depth levels deep: to where its brackets close, or to the line
// on which another document begins.
func (f *framer) skipObject(depth int) error {
	quoted, escaped := false, false
	for depth > 0 {
		if len(f.buf) == 0 {
			if f.eof || !f.midLine && (quoted || f.startsObject()) {
				return nil
			}
			if err := f.readLine(); err != nil {
				return err
			}
		}
		for i, c := range f.buf {
			switch {
			case escaped:
				escaped = false
			case quoted:
				quoted, escaped = c != '"', c == '\\'
			case c == '"':
				quoted = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				depth--
			}
			if depth == 0 || c == '\n' && (quoted || startsDocument(f.buf[i+1:])) {
				f.buf = f.buf[i+1:]
				return nil
			}
		}
		f.buf = f.buf[:0]
	}
	return nil
}
