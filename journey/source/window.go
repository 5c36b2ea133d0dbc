package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// window gives a decoder the rest of a document that is longer than its text. Memory is then bounded by the longest part of
// the document, such as a span.
type window struct {
	more    func() ([]byte, error) // nil when the text is all there is; a piece is valid until the next call
	limit   int                    // how many bytes the text may have
	dropped int                    // bytes of the document before the text
	piece   int                    // bytes of the text that came last
	pin     int                    // where in the text a span began that may have to be skipped, or -1
	line    int                    // everything in the text before it is known to be on one line
	broken  error                  // what ended the input, unless it is its end
}

// errTooLong reports a part of a document that is longer than the limit.
var errTooLong = errors.New("longer than the limit")

// fill appends more input to the text, and reports whether there was any. It drops the text before keep, the decoder's
// position and its pin, and moves these with the text.
func (d *decoder) fill(keep *int) bool {
	w := &d.window
	if w.more == nil || d.err != nil {
		return false
	}
	piece, err := w.more()
	if len(piece) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			w.broken = err
			d.fail("%w", err)
		}
		return false
	}
	low := min(*keep, d.pos)
	if w.pin >= 0 {
		low = min(low, w.pin)
		w.pin -= low
	}
	if low > 0 {
		d.text = d.text[:copy(d.text, d.text[low:])]
		if d.pos -= low; keep != &d.pos {
			*keep -= low
		}
		w.dropped, w.line = w.dropped+low, max(0, w.line-low)
	}
	if len(d.text)+len(piece) > w.limit {
		w.broken = fmt.Errorf("%w of %d bytes", errTooLong, w.limit)
		d.fail("%w", w.broken)
		return false
	}
	d.text = append(d.text, piece...)
	w.piece = len(piece)
	return true
}

// lineEnds reports whether a line ends between two places in the text.
func (w *window) lineEnds(text []byte, from, to int) bool {
	if to <= w.line {
		return false
	}
	n := bytes.IndexByte(text[from:], '\n')
	if n < 0 {
		w.line = len(text)
		return false
	}
	w.line = from + n
	return to > w.line
}
