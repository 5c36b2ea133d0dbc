package rabbitmq

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
)

// readable is a connection to a broker of which the client can read each message. The client ends a connection at a header that is nested more than 32
// tables or lists deep, has more than 8,192 elements, or is of a type that it does not know: such a message would come again and end the next one,
// for ever. Here that header is left out, and all others stay.
type readable struct {
	net.Conn
	in      *bufio.Reader
	pass    int    // bytes of the frame that is read, which are passed on as they are
	frame   []byte // the memory of out
	out     []byte // of a frame that was looked at
	foreign bool   // what comes is not made of frames
	leftOut func() // is told of each message that has lost headers
}

func newReadable(conn net.Conn, leftOut func()) *readable {
	return &readable{Conn: conn, in: bufio.NewReader(conn), leftOut: leftOut}
}

// Frames of AMQP 0-9-1: type, channel, size, content, end.
const (
	frameHead    = 7
	frameEnd     = 1
	headersFrame = 2       // has the properties of a message
	mostTypes    = 8       // the largest type of a frame
	mostHeaders  = 1 << 20 // bytes of such a frame; a broker's frames have 128 KiB
)

// Read implements net.Conn.
func (r *readable) Read(p []byte) (int, error) {
	for {
		switch {
		case len(r.out) > 0:
			n := copy(p, r.out)
			r.out = r.out[n:]
			return n, nil
		case r.foreign:
			return r.in.Read(p)
		case r.pass > 0:
			n, err := r.in.Read(p[:min(len(p), r.pass)])
			r.pass -= n
			return n, err
		}
		if err := r.next(); err != nil {
			return 0, err
		}
	}
}

// next looks at the beginning of a frame, and reads those with headers.
func (r *readable) next() error {
	head, err := r.in.Peek(frameHead)
	if err != nil {
		return err
	}
	size := uint64(binary.BigEndian.Uint32(head[3:]))
	whole := frameHead + int(size) + frameEnd
	switch {
	case head[0] == 0 || head[0] > mostTypes:
		r.foreign = true
		return nil
	case head[0] != headersFrame || size > mostHeaders:
		r.pass = whole
		return nil
	}
	if cap(r.frame) < whole {
		r.frame = make([]byte, whole)
	}
	frame := r.frame[:whole]
	if _, err := io.ReadFull(r.in, frame); err != nil {
		return err
	}
	r.out = r.cleaned(frame)
	return nil
}

// cleaned leaves headers out of a frame that the client cannot read.
func (r *readable) cleaned(frame []byte) []byte {
	content := frame[frameHead : len(frame)-frameEnd]
	at, ok := tableAt(content)
	if !ok {
		return frame
	}
	table, ok := sized(content[at:])
	if !ok {
		return frame
	}
	kept := keepReadable(table)
	if len(kept) == len(table) {
		return frame
	}
	r.leftOut()
	behind := at + 4 + len(table)
	next := append(make([]byte, 0, len(frame)), frame[:3]...) // type and channel
	next = binary.BigEndian.AppendUint32(next, uint32(len(content)-len(table)+len(kept)))
	next = append(next, content[:at]...)
	next = binary.BigEndian.AppendUint32(next, uint32(len(kept)))
	next = append(next, kept...)
	next = append(next, content[behind:]...)
	return append(next, frame[len(frame)-frameEnd])
}

// tableAt is where the table of headers begins in the properties of a message: behind class, weight and size of the body, the flags, and the two types of
// the content where the flags say that they are there. ok is false when it has none.
func tableAt(content []byte) (at int, ok bool) {
	const flagsAt, contentType, contentEncoding, headers = 12, 1 << 15, 1 << 14, 1 << 13
	if len(content) < flagsAt+2 {
		return 0, false
	}
	flags, at := binary.BigEndian.Uint16(content[flagsAt:]), flagsAt+2
	for _, flag := range []uint16{contentType, contentEncoding} {
		if flags&flag == 0 {
			continue
		}
		if at >= len(content) {
			return 0, false
		}
		at += 1 + int(content[at])
	}
	return at, flags&headers != 0 && at <= len(content)
}
