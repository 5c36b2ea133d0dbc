package record

import (
	"encoding/binary"
	"fmt"
	"slices"

	"tracelab/journey"
)

// Kind tells what a record says.
type Kind uint8

// The kinds of records.
const (
	Span Kind = iota + 1 // new spans of the trace To
	Ask                  // asks trace To about its span Of, to which a span of From links: what it is, and which roots reach it
	Tell                 // answers an Ask about span Of of From; or, with Judge set, says whether the journey of From's root reaches To
	Give                 // copies of spans of From that the root of To reaches
)

// String returns the kind's name, such as ask.
func (k Kind) String() string {
	if names := [...]string{"", "span", "ask", "tell", "give"}; k > 0 && int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Root identifies the root of a journey that reaches a span.
type Root struct {
	Trace  journey.TraceID
	Orphan bool  // the root names a parent that is missing; a root without a parent takes precedence
	First  int64 // start of the trace's earliest span, in Unix nanoseconds; of two orphans the earlier one takes precedence
}

// Record is one message from the actor of trace From to the actor of trace To.
type Record struct {
	Kind    Kind
	To      journey.TraceID  // decides the partition
	From    journey.TraceID  // zero for Span
	Of      journey.SpanID   // Ask, Tell: the span that is asked for
	Spans   [][]byte         // encoded by AppendSpan. Span: spans of To. Ask: the span that asks. Tell: the span Of. Give: spans of From
	Stubs   [][]byte         // encoded by AppendSpan. Tell: the spans that handle Of or send the message that it created. Give: causes of Spans
	Roots   []Root           // Tell: the roots that reach Of
	More    bool             // Tell: too many roots reach Of, so Roots is not complete. Give: some of the spans were taken back, now or before
	Judge   bool             // Tell: this is the verdict of From's root, not an answer. To itself: it was closed, and has no root
	Reach   bool             // Tell with Judge: the journey of that root, or to itself of some root, reaches To
	Version uint64           // Tell without Judge, Give: grows with what From knows. The highest version's Roots, More and Back hold, in whatever order they come
	Back    []journey.SpanID // Give: the spans of those given before that are taken back: more roots reach them than may
}

// Bits of the flags byte of a record.
const (
	flagMore = 1 << iota
	flagJudge
	flagReach
)

// Append appends the encoded record to dst.
func (r *Record) Append(dst []byte) []byte {
	flags := byte(0)
	for bit, is := range [...]bool{r.More, r.Judge, r.Reach} {
		if is {
			flags |= 1 << bit
		}
	}
	dst = append(append(dst, version, byte(r.Kind), flags), r.To[:]...)
	if r.Kind != Span {
		dst = append(append(dst, r.From[:]...), r.Of[:]...)
		dst = binary.AppendUvarint(dst, r.Version)
	}
	if r.Kind == Give {
		dst = binary.AppendUvarint(dst, uint64(len(r.Back)))
		for _, id := range r.Back {
			dst = append(dst, id[:]...)
		}
	}
	for _, list := range [...][][]byte{r.Spans, r.Stubs} {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, b := range list {
			dst = appendBytes(dst, b)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Roots)))
	for _, x := range r.Roots {
		orphan := byte(0)
		if x.Orphan {
			orphan = 1
		}
		dst = appendInt(append(append(dst, x.Trace[:]...), orphan), x.First)
	}
	return dst
}

// Decode decodes a record. Its spans and stubs share the memory of b and are still encoded: see DecodeSpan.
func Decode(b []byte) (Record, error) {
	r := reader[[]byte]{left: b}
	if v := r.byte(); r.err == nil && v != version {
		return Record{}, fmt.Errorf("record has version %d, want %d", v, version)
	}
	x := Record{Kind: Kind(r.byte())}
	if r.err == nil && (x.Kind < Span || x.Kind > Give) {
		return Record{}, fmt.Errorf("record has the kind %d, want 1 to 4", uint8(x.Kind))
	}
	flags := r.byte()
	x.More, x.Judge, x.Reach = flags&flagMore != 0, flags&flagJudge != 0, flags&flagReach != 0
	copy(x.To[:], r.take(16))
	if x.Kind != Span {
		copy(x.From[:], r.take(16))
		copy(x.Of[:], r.take(8))
		x.Version = r.uint()
	}
	if x.Kind == Give {
		x.Back = ids(&r)
	}
	x.Spans, x.Stubs = list(&r), list(&r)
	if n := r.count(18); n > 0 {
		x.Roots = make([]Root, n)
		for i := range x.Roots {
			copy(x.Roots[i].Trace[:], r.take(16))
			x.Roots[i].Orphan = r.byte() == 1
			x.Roots[i].First = r.int()
		}
	}
	return x, r.end()
}

func ids(r *reader[[]byte]) []journey.SpanID {
	n := r.count(8)
	if n == 0 {
		return nil
	}
	list := make([]journey.SpanID, n)
	for i := range list {
		copy(list[i][:], r.take(8))
	}
	return list
}

func list(r *reader[[]byte]) [][]byte {
	n := r.count(1)
	if n == 0 {
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = slices.Clip(r.bytes())
	}
	return list
}

// Partition returns the partition of the work topic to which the records of a trace go, so that one watcher gets them all, in order.
func Partition(trace journey.TraceID, partitions int32) int32 {
	if partitions < 2 {
		return 0
	}
	h := binary.BigEndian.Uint64(trace[:8]) ^ binary.BigEndian.Uint64(trace[8:])
	h ^= h >> 33 // ids may be anything but random in some of their bits
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return int32(h % uint64(partitions))
}
