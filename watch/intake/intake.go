// Package intake decodes the values of the input topic: it turns one value into records of slim spans, one trace each.
//
// A value is what the Kafka exporter of the OpenTelemetry collector writes with the encoding otlp_proto or otlp_json; the content tells which
// of them. The keys and partitions that the collector chose do not matter.
package intake

import (
	"fmt"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/source"
	"tracelab/watch/record"
)

// Reader reads values one after another, and reuses its memory. It is not safe for concurrent use.
type Reader struct {
	messages *source.MessageReader
	bytes    []byte // of the slim spans of the current value
	spans    []span
	traces   map[journey.TraceID]int // the newest record of each trace
	records  []record.Record
	sizes    []int // bytes of the spans of each record
	sums     Sums
}

// span is the position of a slim span in Reader.bytes.
type span struct {
	trace    journey.TraceID
	from, to int
}

// Batch is the content of one value. Its records and their spans are valid until the next Read.
type Batch struct {
	Records []record.Record // of kind record.Span, each with spans of one trace; in the order of the traces' first spans
	Spans   int             // spans that were read
	Damaged int             // spans that could not be read; a part whose spans cannot be told apart counts as one
	Reason  string          // why spans could not be read, in one line; "" without damage
}

// Sums are what a Reader has counted since New. Both equalities always hold:
//
//	Records = Decoded + RecordsDamaged
//	Spans = SpansDecoded + SpansDamaged
type Sums struct {
	Records        int64 // values
	Decoded        int64 // values without damage
	RecordsDamaged int64 // values with damage; their intact spans are read
	Spans          int64 // spans of all values
	SpansDecoded   int64 // spans that were read
	SpansDamaged   int64 // spans that could not be read; a part whose spans cannot be told apart counts as one
}

// New creates a Reader.
func New() *Reader {
	wanted := func(key string) bool {
		present, _ := record.Reads(key)
		return present
	}
	return &Reader{messages: source.NewMessageReader(wanted), traces: make(map[journey.TraceID]int)}
}

// Limits of a Reader, in bytes.
const (
	maxRecord = 64 << 10 // spans of one record, about
	maxKept   = 4 << 20  // memory that is reused for the next value
	maxReason = 900      // Batch.Reason
)

// Read reads one value. Damage costs only the damaged spans. The memory that it needs is a small multiple of the value's size.
func (r *Reader) Read(value []byte) Batch {
	r.reset()
	report := r.messages.Read(value, func(s *journey.Span) {
		from := len(r.bytes)
		r.bytes = record.AppendSpan(r.bytes, s)
		r.spans = append(r.spans, span{s.Trace, from, len(r.bytes)})
	})
	for i := range r.spans {
		r.add(&r.spans[i])
	}
	b := Batch{Records: r.records, Spans: report.Spans, Damaged: report.Damaged, Reason: reason(report)}
	r.count(b)
	return b
}

// add adds a span to the record of its trace, or to a new one when that record is full.
func (r *Reader) add(s *span) {
	at, ok := r.traces[s.trace]
	if !ok || r.sizes[at]+s.to-s.from > maxRecord {
		at = r.newRecord(s.trace)
	}
	r.sizes[at] += s.to - s.from
	to := &r.records[at]
	to.Spans = append(to.Spans, r.bytes[s.from:s.to:s.to])
}

// newRecord adds an empty record for a trace and returns its index. It reuses the memory of an earlier value.
func (r *Reader) newRecord(trace journey.TraceID) int {
	at := len(r.records)
	var list [][]byte
	if at < cap(r.records) {
		list = r.records[:at+1][at].Spans[:0]
	}
	r.records = append(r.records, record.Record{Kind: record.Span, To: trace, Spans: list})
	r.sizes = append(r.sizes, 0)
	r.traces[trace] = at
	return at
}

// reset prepares the memory for the next value. It gives up what a very large value needed.
func (r *Reader) reset() {
	if cap(r.bytes) > maxKept || cap(r.spans) > maxKept/64 {
		r.bytes, r.spans, r.records, r.sizes = nil, nil, nil, nil
		r.traces = make(map[journey.TraceID]int)
	}
	r.bytes, r.spans, r.records, r.sizes = r.bytes[:0], r.spans[:0], r.records[:0], r.sizes[:0]
	clear(r.traces)
}

// reason joins the reasons of a report to one line of bounded length.
func reason(report source.Report) string {
	if report.Damaged == 0 {
		return ""
	}
	var b strings.Builder
	named := 0
	for _, err := range report.Reasons {
		text := format.Escape(err.Error())
		if b.Len()+len(text) > maxReason && named > 0 {
			break
		}
		if named > 0 {
			b.WriteString("; ")
		}
		b.WriteString(strings.ToValidUTF8(text[:min(len(text), maxReason)], ""))
		named++
	}
	if more := report.Damaged - named; more > 0 {
		fmt.Fprintf(&b, " (and %d more in this record)", more)
	}
	return b.String()
}

func (r *Reader) count(b Batch) {
	r.sums.Records++
	if b.Damaged == 0 {
		r.sums.Decoded++
	} else {
		r.sums.RecordsDamaged++
	}
	r.sums.Spans += int64(b.Spans + b.Damaged)
	r.sums.SpansDecoded += int64(b.Spans)
	r.sums.SpansDamaged += int64(b.Damaged)
}

// Sums returns what was counted so far.
func (r *Reader) Sums() Sums { return r.sums }
