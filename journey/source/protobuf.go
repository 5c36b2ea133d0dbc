package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// This file reads files of OTLP protobuf:
//
//	one message                       TracesData or ExportTraceServiceRequest, or several one after another, which is the same
//	messages after a varint           the usual way to delimit protobuf
//	messages after four bytes         the length in big-endian order, each message as it is or as zstd: what the file
//	                                  exporter of the OpenTelemetry collector writes
//
// One message is read by its parts, a ResourceSpans each, so that memory does not grow with the file.

// framing is how messages are told apart.
type framing int

const (
	plain framing = iota
	varint
	fourBytes
)

// fieldResourceSpans is the tag of the only field of both messages: number 1, length-delimited.
const fieldResourceSpans = 1<<3 | byte(protowire.BytesType)

// framingOf recognizes the framing by the first bytes. A ResourceSpans begins with its resource, its spans or its schema.
func framingOf(head []byte) framing {
	if len(head) > 4 && head[0] == 0 && (head[4] == fieldResourceSpans || bytes.HasPrefix(head[4:], zstdMark)) {
		return fourBytes
	}
	_, n := protowire.ConsumeVarint(head)
	if n < 0 || n >= len(head) || head[n] != fieldResourceSpans {
		return plain
	}
	if head[0] != fieldResourceSpans {
		return varint
	}
	_, m := protowire.ConsumeVarint(head[1:])
	if m > 0 && 1+m < len(head) && (head[1+m] == 0x0a || head[1+m] == 0x12 || head[1+m] == 0x1a) {
		return plain
	}
	return varint
}

// readProtobuf reads messages until the end. It skips one that is damaged. When a message does not end, nothing after it can
// be read, and all of that counts as one damaged message.
func (r *Result) readProtobuf(in *bufio.Reader, name string, limit int) error {
	head, _ := in.Peek(sniffed) // reading returns the error, if any
	m := messages{tally: tally{in: in}, framing: framingOf(head), limit: limit}
	repaired := 0
	for {
		message, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		var damage *damageError
		if err != nil && !errors.As(err, &damage) {
			return err
		}
		r.Lines++
		if err == nil {
			err = r.addMessage(message, where(name, r.Lines), &repaired)
		}
		if err != nil {
			if message == nil {
				message = m.buf.Bytes() // what there is of it
			}
			r.noteTraces(appendProtobufTraces(nil, message, tracesData))
			r.Damaged++
			r.skipped(fmt.Errorf("%s: skipped: %w", where(name, r.Lines), err))
		}
		if damage != nil && damage.last {
			break
		}
	}
	r.repaired(name, repaired)
	return nil
}

func (r *Result) addMessage(message []byte, where string, repaired *int) error {
	traces, err := unmarshal(message)
	if err != nil {
		if r.readDamaged(message, where, repaired) == nil {
			return nil
		}
		return err
	}
	c := converter{where: where}
	r.Spans = append(r.Spans, c.traces(traces)...)
	*repaired += c.repaired
	return nil
}

// damageError says what is wrong with one message.
type damageError struct {
	err  error
	last bool // where the next one begins is not known
}

func (e *damageError) Error() string { return e.err.Error() }

// tally counts the bytes that are read, and keeps an error other than io.EOF.
type tally struct {
	in     *bufio.Reader
	at     int64 // bytes read
	broken error
}

func (t *tally) ReadByte() (byte, error) {
	b, err := t.in.ReadByte()
	if err == nil {
		t.at++
	}
	return b, t.note(err)
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	t.at += int64(n)
	return n, t.note(err)
}

func (t *tally) note(err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		t.broken = err
	}
	return err
}

// messages cuts input into protobuf messages.
type messages struct {
	tally
	framing framing
	limit   int
	buf     bytes.Buffer
}

// next returns a message, valid until the next call, or io.EOF. A *damageError concerns one message.
func (m *messages) next() ([]byte, error) {
	m.buf.Reset()
	start := m.at
	size, err := m.size()
	switch {
	case err == nil && size > uint64(m.limit):
		return nil, fmt.Errorf("byte %d: a message of %d bytes, longer than %d; split it, or raise the limit", start+1, size, m.limit)
	case err == nil:
		_, err = io.CopyN(&m.buf, &m.tally, int64(size))
	case errors.Is(err, io.EOF) && m.at == start:
		return nil, io.EOF
	}
	switch {
	case m.broken != nil:
		return nil, fmt.Errorf("byte %d: %w", m.at+1, m.broken)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &damageError{fmt.Errorf("truncated: the message that begins at byte %d does not end", start+1), true}
	case err != nil:
		return nil, &damageError{fmt.Errorf("byte %d: %w", start+1, err), true}
	case m.framing == fourBytes && bytes.HasPrefix(m.buf.Bytes(), zstdMark):
		return m.unpack()
	}
	return m.buf.Bytes(), nil
}

// size reads the length before a message. In a plain one that is the tag and length of a ResourceSpans, which it writes to
// buf, as they belong to the message.
func (m *messages) size() (uint64, error) {
	switch m.framing {
	case fourBytes:
		var b [4]byte
		_, err := io.ReadFull(&m.tally, b[:])
		return uint64(binary.BigEndian.Uint32(b[:])), err
	case varint:
		return binary.ReadUvarint(&m.tally)
	case plain:
	}
	tag, err := m.ReadByte()
	if err != nil {
		return 0, err
	}
	if tag != fieldResourceSpans {
		return 0, fmt.Errorf("no OTLP protobuf message of traces: 0x%02x where a field resource_spans should begin", tag)
	}
	size, err := binary.ReadUvarint(&m.tally)
	m.buf.WriteByte(tag)
	m.buf.Write(protowire.AppendVarint(nil, size))
	return size, err
}

func (m *messages) unpack() ([]byte, error) {
	z, err := newZstd(nil, m.limit)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	message, err := z.DecodeAll(m.buf.Bytes(), nil)
	if err != nil {
		return nil, &damageError{fmt.Errorf("looks like zstd, but: %w", err), false}
	}
	return message, nil
}
