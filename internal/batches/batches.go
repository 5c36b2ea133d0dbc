// Package batches decompresses the record batches that a Kafka client reads, within a limit.
package batches

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Limit bounds how many bytes a batch becomes. A batch that becomes more, or that cannot be decompressed at all, is a
// *kgo.ErrDecompressTooLarge, which says where the next one begins: set the partition's offset there. With the client's own decompressor
// a damaged batch stops its partition, as the client reads it again and again; so does one of zstd whose window is larger than the limit,
// which is 2 MiB for many producers, however small the batch is.
func Limit(bytes int) kgo.Opt { return kgo.WithDecompressor(&decompressor{limit: bytes}) }

// Skip makes a client go on behind a batch that it could not decompress, and returns that batch. It returns nil for all other errors of a fetch, after
// which the client tries again by itself. Call it where the client is polled, before rebalances are allowed again.
//
// Others are the offsets of the next records to take of the topic's other partitions that the client reads, as far as they are known. A client whose offsets
// are set drops what it has fetched and not given out. It tells of a damaged batch once: when it drops that, it never fetches that partition again, unless its
// offset is set as well. Give none where the client commits by marks: it would take them for marks.
func Skip(client *kgo.Client, topic string, partition int32, err error, others map[int32]int64) *kgo.ErrDecompressTooLarge {
	bad, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err)
	if !ok {
		return nil
	}
	if len(others) == 0 {
		client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {partition: {Epoch: bad.Epoch, Offset: bad.NextOffset}}})
		return bad
	}
	next := maps.Clone(others)
	next[partition] = bad.NextOffset
	SetAgain(client, topic, next)
	return bad
}

// SetAgain makes a client go on at offsets of a topic, by partition, also with a partition that it has stopped at that very offset: an offset that it has
// already it passes over, so each is set to another one before.
func SetAgain(client *kgo.Client, topic string, next map[int32]int64) {
	if len(next) == 0 {
		return
	}
	to, elsewhere := map[int32]kgo.EpochOffset{}, map[int32]kgo.EpochOffset{}
	for partition, offset := range next {
		to[partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
		elsewhere[partition] = kgo.EpochOffset{Epoch: -1, Offset: max(offset-1, 1-offset)}
	}
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: elsewhere})
	client.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: to})
}

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
