package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

type fileFormat int

const (
	jsonFormat fileFormat = iota
	protobufFormat
)

// The bytes with which compressed data begins.
var (
	gzipMark = []byte{0x1f, 0x8b}
	zstdMark = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// decompress returns a reader that unpacks gzip and zstd, which it recognizes by their first bytes.
func decompress(r io.Reader, limit int) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	mark, err := in.Peek(len(zstdMark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(mark, gzipMark):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("looks like gzip, but: %w", err)
		}
		return bufio.NewReaderSize(z, bufferSize), nil
	case bytes.HasPrefix(mark, zstdMark):
		z, err := newZstd(in, limit)
		if err != nil {
			return nil, fmt.Errorf("looks like zstd, but: %w", err)
		}
		return bufio.NewReaderSize(z, bufferSize), nil
	}
	return in, nil
}

// newZstd makes a decoder that works in the caller's goroutine, so that it need not be closed.
func newZstd(in io.Reader, limit int) (*zstd.Decoder, error) {
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(max(limit, 1<<20))))
}

const (
	bufferSize = 64 << 10
	sniffed    = 256 // first bytes to look at; a protobuf message with an attribute or an id has a control character among them
)

// recognize returns the format by the first bytes, or an error that says what is neither JSON nor protobuf. It consumes
// nothing but a byte order mark.
func recognize(in *bufio.Reader) (fileFormat, error) {
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := in.Discard(3)
		return jsonFormat, err
	case bytes.HasPrefix(head, []byte("\xfe\xff")), bytes.HasPrefix(head, []byte("\xff\xfe")):
		return 0, &RefusedError{Kind: "text in UTF-16", Hint: "save it as UTF-8"}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return 0, &RefusedError{Kind: "a zip archive", Hint: "unpack it"}
	case isBinary(head):
		return protobufFormat, nil
	case bytes.HasPrefix(text, []byte("<")):
		return 0, &RefusedError{Kind: "HTML or XML, not traces", Hint: "save the JSON of the trace (in the Jaeger UI: Trace JSON)"}
	}
	if refused := refuseHead(text); refused != nil {
		return 0, refused
	}
	return jsonFormat, nil
}

// isBinary reports whether there is a control character that JSON text does not have.
func isBinary(head []byte) bool {
	return bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' })
}
