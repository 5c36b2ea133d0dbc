// Package intake is the first stage of the watch: it turns the value of one record of a collector's topic into slim spans, by trace.
//
// The value is what the Kafka exporter of the OpenTelemetry collector writes as otlp_proto or otlp_json: the content tells which. How the
// collector chose keys and partitions does not matter.
package intake

import (
	"fmt"
	"strings"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/source"
	"tracelab/watch/record"
)

// Reader reads values one after another, and uses its memory again for the next. It must not be used by several goroutines at a time.
type Reader struct {
	messages *source.MessageReader
	bytes    []byte // of the slim spans of the current value
	spans    []span
	traces   map[journey.TraceID]int // the newest record of each trace
	records  []record.Record
	sizes    []int // bytes of the spans of each record
	sums     Sums
}

// span is where a slim span stands in the reader's bytes.
type span struct {
	trace    journey.TraceID
	from, to int
}

// Batch is what one value holds. Its records and their spans are valid until the next Read.
type Batch struct {
	Records []record.Record // of kind record.Span, each with spans of one trace; in the order of the traces' first spans
	Spans   int             // spans that were read
	Damaged int             // spans that could not be read; a piece whose spans cannot be told apart counts as one
	Reason  string          // why, in one line; empty for a value that was read whole
}

// Sums are what a Reader has counted. Both equalities hold at any time:
//
//	Records = Decoded + RecordsDamaged
//	Spans = SpansDecoded + SpansDamaged
type Sums struct {
	Records        int64 // values
	Decoded        int64 // of them, those that were read whole
	RecordsDamaged int64 // of them, those with damage: their other spans are read
	Spans          int64 // spans of all values
	SpansDecoded   int64 // of them, those that were read
	SpansDamaged   int64 // of them, those that were not; a piece whose spans cannot be told apart counts as one
}

// New makes a reader.
func New() *Reader {
	wanted := func(key string) bool {
		present, _ := record.Reads(key)
		return present
	}
	return &Reader{messages: source.NewMessageReader(wanted), traces: make(map[journey.TraceID]int)}
}

// Limits of what a Reader makes and keeps.
const (
	maxRecord = 64 << 10 // bytes of spans of one trace in one record, about
	maxKept   = 4 << 20  // bytes of memory that are kept for the next value
	maxReason = 900      // bytes of a reason
)

// Read reads one value. Damage costs no span but those that are damaged. What a value may hold is bounded by its size alone: its memory
// is a small multiple of that.
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

// add adds a span to the record of its trace, and begins another record when that one is large.
func (r *Reader) add(s *span) {
	at, ok := r.traces[s.trace]
	if !ok || r.sizes[at]+s.to-s.from > maxRecord {
		at = r.newRecord(s.trace)
	}
	r.sizes[at] += s.to - s.from
	to := &r.records[at]
	to.Spans = append(to.Spans, r.bytes[s.from:s.to:s.to])
}

// newRecord returns the place of an empty record, with the list of one of a value before.
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

// reset makes the memory of the value before free for the next. That of a very large one is given back.
func (r *Reader) reset() {
	if cap(r.bytes) > maxKept || cap(r.spans) > maxKept/64 {
		r.bytes, r.spans, r.records, r.sizes = nil, nil, nil, nil
		r.traces = make(map[journey.TraceID]int)
	}
	r.bytes, r.spans, r.records, r.sizes = r.bytes[:0], r.spans[:0], r.records[:0], r.sizes[:0]
	clear(r.traces)
}

// reason puts the reasons of a report into one line of bounded length.
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
