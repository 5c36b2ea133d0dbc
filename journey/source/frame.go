package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// frame is one JSON object of the input, or a piece of it that cannot be one.
type frame struct {
	line   int // of its beginning, from 1
	lines  int // how many it takes
	text   []byte
	damage error // nil for a whole object
}

// framer cuts input into JSON objects: one a line, several in a line, or one over many lines, and those of a list. An object
// that does not end before the next one begins (a line that starts with the key of a document) is damaged, and so is text
// between objects; what follows is read on. Memory is bounded by the limit.
type framer struct {
	in    *bufio.Reader
	limit int
	line  int
	base  []byte // storage for buf, used again for each line
	buf   []byte // the object so far, and the rest of the current line
	pos   int    // in buf: everything before it is scanned
	start int    // line of the object's beginning
	depth int
	eof   bool

	// whole is tried on each line on which an object may begin. If it can use the line as one object it says so, and the
	// line need not be looked through for the object's end.
	whole func(text []byte, line int) bool
}

func newFramer(in io.Reader, limit int, whole func(text []byte, line int) bool) *framer {
	return &framer{in: bufio.NewReaderSize(in, 64<<10), limit: limit, whole: whole}
}

// next returns the next frame, which is valid until the next call, or io.EOF. Any other error ends the input.
func (f *framer) next() (frame, error) {
	for {
		if fr, ok := f.scan(); ok {
			return fr, nil
		}
		if f.eof {
			if len(f.buf) == 0 {
				return frame{}, io.EOF
			}
			return f.take(len(f.buf), errors.New("truncated: the object does not end")), nil
		}
		if f.depth > 0 && f.startsObject() {
			return f.take(len(f.buf), errors.New("truncated: another object begins before this one ends")), nil
		}
		begins := len(f.buf) == 0
		if err := f.readLine(); err != nil {
			return frame{}, err
		}
		if begins && f.whole(f.buf, f.line) {
			f.buf = f.buf[:0]
		}
	}
}

// startsObject reports that the next line begins a document.
func (f *framer) startsObject() bool {
	ahead, _ := f.in.Peek(len(`{"resourceMetrics"`)) // an error, such as the end, comes up again in readLine
	for _, key := range []string{`{"resourceSpans"`, `{"resourceLogs"`, `{"resourceMetrics"`, `{"batches"`, `{"result"`, `{"data"`} {
		if bytes.HasPrefix(ahead, []byte(key)) {
			return true
		}
	}
	return false
}

// readLine appends the next line to the buffer, and remembers the end of the input.
func (f *framer) readLine() error {
	f.line++
	if len(f.buf) == 0 {
		f.start, f.buf = f.line, f.base[:0]
		defer func() { f.base = f.buf[:0] }()
	}
	for before := len(f.buf); ; {
		piece, err := f.in.ReadSlice('\n')
		if len(f.buf)+len(piece) > f.limit {
			return fmt.Errorf("line %d: what starts here is longer than %d bytes; split it, or raise the limit", f.start, f.limit)
		}
		f.buf = append(f.buf, piece...)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, io.EOF):
			f.eof = true
			if len(f.buf) == before {
				f.line--
			}
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("line %d: %w", f.line, err)
		}
	}
}

// scan looks on in the buffer for the end of an object.
func (f *framer) scan() (frame, bool) {
	if f.depth == 0 {
		skip := len(f.buf) - len(bytes.TrimLeft(f.buf, " \t\r\n[],"))
		f.buf, f.pos = f.buf[skip:], 0
		if len(f.buf) == 0 {
			return frame{}, false
		}
		f.start = f.line
		if f.buf[0] != '{' {
			return f.take(endOfLine(f.buf), fmt.Errorf("text that is no JSON object: %.40q", f.buf[:endOfLine(f.buf)])), true
		}
	}
	for f.pos < len(f.buf) {
		switch f.buf[f.pos] {
		case '"':
			end := endOfString(f.buf[f.pos+1:])
			if end < 0 {
				return f.take(len(f.buf), errors.New("truncated: a string does not end on its line")), true
			}
			f.pos += end + 1
		case '{', '[':
			f.depth++
		case '}', ']':
			if f.depth--; f.depth == 0 {
				return f.take(f.pos+1, nil), true
			}
		}
		f.pos++
	}
	return frame{}, false
}

// take cuts n bytes off the buffer as a frame.
func (f *framer) take(n int, damage error) frame {
	fr := frame{line: f.start, lines: f.line - f.start + 1, text: f.buf[:n:n], damage: damage}
	f.buf, f.pos, f.depth = f.buf[n:], 0, 0
	f.start = f.line
	return fr
}

func endOfLine(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i
	}
	return len(b)
}

// endOfString returns the index of the quote that ends a string, or -1 when the line ends first.
func endOfString(b []byte) int {
	for i := 0; i < len(b); i++ {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1
		}
		i += q
		escapes := 0
		for k := i - 1; k >= 0 && b[k] == '\\'; k-- {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
	return -1
}
