package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"
)

// objectStream writes one JSON object as json.Encoder does with an indentation of two blanks, but member by member and each
// list element by element, so that memory does not grow with the document. After its first error it writes nothing.
type objectStream struct {
	w       *bufio.Writer
	element bytes.Buffer
	encoder *json.Encoder // into element
	members int
	err     error
}

func newObjectStream(w io.Writer) *objectStream {
	o := &objectStream{w: bufio.NewWriterSize(w, 1<<16)}
	o.encoder = json.NewEncoder(&o.element)
	o.encoder.SetEscapeHTML(false)
	return o
}

// key begins a member.
func (o *objectStream) key(name string) {
	if o.members++; o.members == 1 {
		o.text("{\n  ")
	} else {
		o.text(",\n  ")
	}
	o.encode(name, "")
	o.text(": ")
}

func (o *objectStream) text(s string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(s)
	}
}

func (o *objectStream) encode(value any, prefix string) {
	if o.err != nil {
		return
	}
	o.element.Reset()
	o.encoder.SetIndent(prefix, "  ")
	if o.err = o.encoder.Encode(value); o.err == nil {
		_, o.err = o.w.Write(bytes.TrimSuffix(o.element.Bytes(), []byte("\n")))
	}
}

// member writes a member whose value is encoded as a whole.
func (o *objectStream) member(name string, value any) {
	o.key(name)
	o.encode(value, "  ")
}

// list writes a member that is a list, as [] when it has no elements.
func list[T any](o *objectStream, name string, elements iter.Seq[T]) {
	o.key(name)
	n := 0
	for x := range elements {
		if o.err != nil {
			return
		}
		if n++; n == 1 {
			o.text("[\n    ")
		} else {
			o.text(",\n    ")
		}
		o.encode(x, "    ")
	}
	if n == 0 {
		o.text("[]")
		return
	}
	o.text("\n  ]")
}

// close ends the object and returns the first error.
func (o *objectStream) close() error {
	if o.members == 0 {
		o.text("{")
	} else {
		o.text("\n")
	}
	o.text("}\n")
	if o.err != nil {
		return o.err
	}
	return o.w.Flush()
}
