package record

import (
	"encoding/binary"
	"fmt"

	"tracelab/journey"
)

// Kind tells what a record says.
type Kind uint8

// The kinds of records.
const (
	Span Kind = iota + 1 // spans of the trace To
	Ask                  // a span of From links to the span Of of To, and wants to know what it is and which roots reach it
	Tell                 // the span Of of From: what it is, who reaches it and who handles it; or, without Of, a verdict of the root of From
	Give                 // a span that the root of To reaches, found in From
)

// String returns the kind's name, such as ask.
func (k Kind) String() string {
	if names := [...]string{"", "span", "ask", "tell", "give"}; k > 0 && int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Root is a trace whose root reaches something.
type Root struct {
	Trace  journey.TraceID
	Orphan bool  // the root's parent is missing: a root that has none goes first
	First  int64 // start of the trace's earliest span, in nanoseconds: of two roots without parents' spans the earlier trace goes first
}

// Record is one message between the actors of two traces. The actor of the trace To gets it.
type Record struct {
	Kind  Kind
	To    journey.TraceID
	From  journey.TraceID // not of Span
	Of    journey.SpanID  // of Ask and Tell: the span that is asked for
	Spans [][]byte        // by AppendSpan. Span: spans of To. Ask: who asks. Tell: Of itself, if it is known. Give: the span
	Stubs [][]byte        // Tell: who handles Of, and who sends what it made. Give: what led to the span
	Roots []Root          // Tell: the roots that reach Of
	More  bool            // Tell: more roots reach Of than are passed on
	Judge bool            // Tell: a verdict of the root of From
	Reach bool            // of such a Tell: that root reaches To
}

// What stands in the flags of a record.
const (
	flagMore = 1 << iota
	flagJudge
	flagReach
)

// Append appends the record's bytes.
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

// Decode reads what Append wrote. The spans and stubs belong to b. They are not decoded: see DecodeSpan.
func Decode(b []byte) (Record, error) {
	r := reader{left: b}
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
	}
	x.Spans, x.Stubs = r.list(), r.list()
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

func (r *reader) list() [][]byte {
	n := r.count(1)
	if n == 0 {
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = r.bytes()
	}
	return list
}

// Partition returns which of the partitions of the work topic has a trace: its records come in order, to one watcher.
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
