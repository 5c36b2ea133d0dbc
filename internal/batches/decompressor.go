package batches

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// mostWindow is the largest window of zstd, in bytes: any decoder must take so much, and what wants more is not meant for others.
const mostWindow = 8 << 20

// decompressor implements kgo.Decompressor.
type decompressor struct {
	limit int
	zstds sync.Pool // of *zstd.Decoder
}

var errTooLarge = errors.New("more bytes than the limit")

// Decompress returns what a batch holds.
func (d *decompressor) Decompress(batch []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec == kgo.CodecNone {
		return batch, nil
	}
	content, err := d.decompress(batch, codec)
	if err == nil && len(content) > d.limit {
		err = errTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", kgo.ErrMaxDecompress, err)
	}
	return content, nil
}

func (d *decompressor) decompress(batch []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	in := bytes.NewReader(batch)
	switch codec {
	case kgo.CodecSnappy:
		return d.snappy(batch)
	case kgo.CodecGzip:
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		return d.read(r)
	case kgo.CodecLz4:
		return d.read(lz4.NewReader(in))
	case kgo.CodecZstd:
		r, err := d.zstd(in)
		if err != nil {
			return nil, err
		}
		defer d.zstds.Put(r)
		return d.read(r)
	default:
		return nil, fmt.Errorf("unknown compression %d", codec)
	}
}

// read reads one byte more than the limit at the most.
func (d *decompressor) read(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, int64(d.limit)+1))
}

// zstd returns a decoder, which has no goroutine: it need not be closed.
func (d *decompressor) zstd(in io.Reader) (*zstd.Decoder, error) {
	if r, ok := d.zstds.Get().(*zstd.Decoder); ok {
		return r, r.Reset(in)
	}
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow))
}

// xerial begins snappy as the Java client frames it: 8 bytes of versions come next, then blocks, each behind its length.
var xerial = []byte("\x82SNAPPY\x00")

var errFrame = errors.New("malformed blocks of snappy")

func (d *decompressor) snappy(batch []byte) ([]byte, error) {
	const header = 16
	if len(batch) < header || !bytes.HasPrefix(batch, xerial) {
		return d.block(nil, batch)
	}
	var content []byte
	for rest := batch[header:]; len(rest) > 0; {
		if len(rest) < 4 {
			return nil, errFrame
		}
		size := binary.BigEndian.Uint32(rest)
		if rest = rest[4:]; uint64(size) > uint64(len(rest)) {
			return nil, errFrame
		}
		var err error
		if content, err = d.block(content, rest[:size]); err != nil {
			return nil, err
		}
		rest = rest[size:]
	}
	return content, nil
}

// block appends what one block holds. The block says how much that is, before any of it is decoded.
func (d *decompressor) block(content, block []byte) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if n > d.limit-len(content) {
		return nil, errTooLarge
	}
	decoded, err := s2.Decode(nil, block)
	return append(content, decoded...), err
}
