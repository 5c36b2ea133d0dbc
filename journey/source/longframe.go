package source

import "bytes"

// This file goes on reading an object that is longer than a framer holds.

// more returns what the input has ready. The next call consumes it, or resume does.
func (f *framer) more() ([]byte, error) {
	f.consume(f.peeked)
	if _, err := f.in.Peek(1); err != nil {
		return nil, err
	}
	piece, err := f.in.Peek(f.in.Buffered())
	f.peeked = len(piece)
	return piece, err
}

// consume skips bytes that were peeked at, and counts their lines.
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

// resume goes on after an object that was read through a window. rest is what the window holds and did not use.
func (f *framer) resume(rest []byte) {
	before := max(0, len(rest)-f.peeked) // bytes of rest that came before the newest piece
	f.buf = bytes.Clone(rest[:before])
	f.consume(f.peeked - (len(rest) - before))
	f.pos, f.depth, f.start = 0, 0, f.line
}

// skipObject skips the rest of a damaged object, from depth levels deep: up to where its brackets close, or to the line on
// which another document begins.
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
