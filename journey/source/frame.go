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
	long   bool  // the text is only the beginning: the rest is to be read through a window
}

// framer cuts input into JSON objects: one to a line, several in a line, one over many lines, and those of a list. An object
// that does not end before the next document begins (a line that starts with the key of one) is damaged, and so is text
// between objects; reading goes on after it. Of an object longer than longFrom bytes the framer holds only the beginning.
type framer struct {
	in       *bufio.Reader
	limit    int
	longFrom int
	line     int
	midLine  bool   // the current line goes on after buf
	base     []byte // storage for buf, used again for each line
	buf      []byte // the object so far, and the rest of the current line
	pos      int    // in buf: everything before it is scanned
	start    int    // line of the object's beginning
	depth    int
	eof      bool
	peeked   int // bytes that a window has seen, and that are not yet consumed

	// whole is tried on each line on which an object may begin. It returns true if the line is one whole object: then the
	// framer need not search it for the object's end.
	whole func(text []byte, line int) bool
}

// longFrom is from how many bytes on an object is read through a window. Most lines are shorter.
const longFrom = 1 << 20

func newFramer(in io.Reader, o readOptions, whole func(text []byte, line int) bool) *framer {
	return &framer{in: bufio.NewReaderSize(in, bufferSize), limit: o.limit, longFrom: o.longFrom, whole: whole}
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
		if f.depth > 0 && len(f.buf) >= f.longFrom {
			return frame{line: f.start, text: f.buf, long: true}, nil
		}
		if f.depth > 0 && !f.midLine && f.startsObject() {
			return f.take(len(f.buf), errors.New("truncated: another object begins before this one ends")), nil
		}
		begins := len(f.buf) == 0 && !f.midLine
		if err := f.readLine(); err != nil {
			return frame{}, err
		}
		if begins && !f.midLine && f.whole(f.buf, f.line) {
			f.buf = f.buf[:0]
		}
	}
}

// documentKeys begin a document at the beginning of a line.
var documentKeys = [...]string{`{"resourceSpans"`, `{"resourceLogs"`, `{"resourceMetrics"`, `{"batches"`, `{"result"`, `{"data"`, `{"trace"`}

// longestKey is how many bytes it takes to recognize a document's key.
const longestKey = len(`{"resourceMetrics"`)

func startsDocument(text []byte) bool {
	for _, key := range documentKeys {
		if bytes.HasPrefix(text, []byte(key)) {
			return true
		}
	}
	return false
}

// startsObject reports whether the next line begins a document.
func (f *framer) startsObject() bool {
	ahead, _ := f.in.Peek(longestKey) // readLine returns the error, if any
	return startsDocument(ahead)
}

// readLine appends the next line, or a piece of it when it is long, to the buffer. At the end of the input it sets eof.
func (f *framer) readLine() error {
	continued := f.midLine
	if !continued {
		f.line++
	}
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
			f.midLine = false
			return nil
		case errors.Is(err, io.EOF):
			f.eof, f.midLine = true, false
			if len(f.buf) == before && !continued {
				f.line--
			}
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("line %d: %w", f.line, err)
		case len(f.buf) >= f.longFrom:
			f.midLine = true
			return nil
		}
	}
}

// scan searches the rest of the buffer for the end of an object.
func (f *framer) scan() (frame, bool) {
	if f.depth == 0 {
		skip := len(f.buf) - len(bytes.TrimLeft(f.buf, " \t\r\n[],"))
		f.buf, f.pos = f.buf[skip:], 0
		if len(f.buf) == 0 {
			return frame{}, false
		}
		f.start = f.line
		if f.buf[0] != '{' {
			fr := f.take(endOfLine(f.buf), fmt.Errorf("text that is no JSON object: %.40q", f.buf[:endOfLine(f.buf)]))
			if len(f.buf) == 0 {
				f.dropLine()
			}
			return fr, true
		}
	}
	for f.pos < len(f.buf) {
		switch f.buf[f.pos] {
		case '"':
			end := endOfString(f.buf[f.pos+1:])
			if end < 0 && f.midLine {
				return frame{}, false
			}
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

// dropLine skips the rest of the current line.
func (f *framer) dropLine() {
	for f.midLine {
		_, err := f.in.ReadSlice('\n') // reading the next line returns an error that lasts
		f.midLine = errors.Is(err, bufio.ErrBufferFull)
	}
}
