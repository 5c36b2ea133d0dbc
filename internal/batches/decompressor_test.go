package batches

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/testkit"
)

const limit = 1 << 20

// compressed is a batch by each codec; framed is snappy as Java's client writes it.
func compressed(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var gz, l4, zs bytes.Buffer
	g, l := gzip.NewWriter(&gz), lz4.NewWriter(&l4)
	z, err := zstd.NewWriter(&zs, zstd.WithWindowSize(2<<20)) // as a stream, which does not say how long it is
	must(err)
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{g, l, z} {
		_, err := w.Write(content)
		must(err)
		must(w.Close())
	}
	framed := append(bytes.Clone(xerial), 0, 0, 0, 1, 0, 0, 0, 1)
	for from := 0; from < len(content); from += 32 << 10 {
		block := s2.EncodeSnappy(nil, content[from:min(from+32<<10, len(content))])
		framed = append(binary.BigEndian.AppendUint32(framed, uint32(len(block))), block...)
	}
	return map[string][]byte{"gzip": gz.Bytes(), "snappy": s2.EncodeSnappy(nil, content), "framed": framed, "lz4": l4.Bytes(), "zstd": zs.Bytes()}
}

var codecs = map[string]kgo.CompressionCodecType{"gzip": kgo.CodecGzip, "snappy": kgo.CodecSnappy, "framed": kgo.CodecSnappy, "lz4": kgo.CodecLz4, "zstd": kgo.CodecZstd}

func TestDecompress(t *testing.T) {
	d := &decompressor{limit: limit}
	content := bytes.Repeat([]byte("an order, "), limit/10)
	for name, batch := range compressed(t, content) {
		for range 2 { // the second time a decoder is there
			if got, err := d.Decompress(batch, codecs[name]); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: %d bytes, %v, want the content", name, len(got), err)
			}
		}
	}
	if got, err := d.Decompress(content, kgo.CodecNone); err != nil || !bytes.Equal(got, content) {
		t.Errorf("without compression: %d bytes, %v", len(got), err)
	}
}

// TestWhatCannotBeDecompressed: batches that become too much, and every batch with a damaged byte or without its end, are said to be
// too large, or still hold no more than the limit.
func TestWhatCannotBeDecompressed(t *testing.T) {
	d := &decompressor{limit: limit}
	for name, batch := range compressed(t, make([]byte, limit+1)) {
		if got, err := d.Decompress(batch, codecs[name]); !errors.Is(err, kgo.ErrMaxDecompress) {
			t.Errorf("%s: %d bytes, %v, want too many", name, len(got), err)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for name, batch := range compressed(t, []byte(fmt.Sprint(random.Perm(3000)))) {
		for range testkit.Times(60, 300) {
			damaged := bytes.Clone(batch[:1+random.IntN(len(batch))])
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			if got, err := d.Decompress(damaged, codecs[name]); len(got) > limit || err != nil && !errors.Is(err, kgo.ErrMaxDecompress) {
				t.Fatalf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
	for _, batch := range []string{"", "x", "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff", "\xff\xff\xff\xff\x0f"} { // the last says that it becomes 4 GiB
		for codec := range kgo.CompressionCodecType(8) {
			if _, err := d.Decompress([]byte(batch), codec); codec != kgo.CodecNone && batch != "" && !errors.Is(err, kgo.ErrMaxDecompress) {
				t.Errorf("codec %d, %q: %v", codec, batch, err)
			}
		}
	}
}
