package watch

import (
	"context"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/text"
	"tracelab/journey"
	"tracelab/watch/record"
)

// spansRecord is how many bytes of spans of one trace go into one record, about.
const spansRecord = 64 << 10

// Headers of a dead letter: those of the lab's own services, so that tracelab redrive sends it back. What the record had is kept beside them.
const (
	headerOriginTopic     = "tracelab-origin-topic"
	headerOriginPartition = "tracelab-origin-partition"
	headerOriginOffset    = "tracelab-origin-offset"
	headerConsumer        = "tracelab-consumer"
	headerError           = "tracelab-error"
	headerErrorType       = "tracelab-error-type"
	headerAttempts        = "tracelab-attempts"
)

// Limits of a dead letter.
const (
	mostReason = 1024      // bytes
	mostDead   = 900 << 10 // bytes of the value: a broker takes 1 MiB by default
)

// openInput joins the group of the input.
func (w *watcher) openInput(life context.Context) error {
	return w.open(life, &w.in, func(context.Context, int32, int64) (*place, error) { return &place{}, nil })
}

// readInput writes the spans of records to the work topic, and puts what cannot be read with the dead letters.
func (w *watcher) readInput(st *step, fetches kgo.Fetches) {
	fetches.EachRecord(func(r *kgo.Record) {
		p := w.in.parts[r.Partition]
		if p == nil {
			return // it has gone meanwhile
		}
		p.next = r.Offset + 1
		spans, damage := decode(r.Value)
		w.sums.read(len(spans), damage != nil)
		w.writeSpans(st, spans)
		if damage != nil {
			w.deadLetter(st, r, damage)
		}
	})
}

// writeSpans writes spans to the partitions of their traces.
func (w *watcher) writeSpans(st *step, spans []journey.Span) {
	var traces []journey.TraceID // in the order of their first spans
	byTrace := map[journey.TraceID]*record.Record{}
	sizes := map[journey.TraceID]int{}
	for i := range spans {
		id := spans[i].Trace
		r := byTrace[id]
		if r == nil {
			r = &record.Record{Kind: record.Span, To: id}
			byTrace[id] = r
			traces = append(traces, id)
		}
		body := record.AppendSpan(nil, &spans[i])
		r.Spans = append(r.Spans, body)
		if sizes[id] += len(body); sizes[id] >= spansRecord {
			w.writeWork(&w.in, st, r)
			r.Spans, sizes[id] = nil, 0
		}
	}
	for _, id := range traces {
		if r := byTrace[id]; len(r.Spans) > 0 {
			w.writeWork(&w.in, st, r)
		}
	}
}

// writeWork writes a record to the partition of its trace.
func (w *watcher) writeWork(s *stage, st *step, r *record.Record) {
	s.write(st, &kgo.Record{
		Topic: w.config.workTopic(), Partition: record.Partition(r.To, w.config.Partitions), Key: r.To[:], Value: r.Append(nil),
	})
}

// deadLetter puts a record that cannot be read, or not whole, with the dead letters.
func (w *watcher) deadLetter(st *step, r *kgo.Record, damage error) {
	w.trouble.say("a record cannot be read: it is with the dead letters", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", damage)
	dead := &kgo.Record{Topic: w.config.deadTopic(), Key: r.Key, Value: r.Value, Headers: deathHeaders(r, w.config.Group, damage)}
	if len(dead.Value) > mostDead {
		dead.Value = nil
		w.config.Logger.Error("the dead letter has no value: the record is too large", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "bytes", len(r.Value))
	}
	w.in.write(st, dead)
}

func deathHeaders(r *kgo.Record, consumer string, damage error) []kgo.RecordHeader {
	own := map[string]bool{}
	var headers []kgo.RecordHeader
	for _, h := range [][2]string{
		{headerOriginTopic, r.Topic}, {headerOriginPartition, strconv.Itoa(int(r.Partition))}, {headerOriginOffset, strconv.FormatInt(r.Offset, 10)},
		{headerConsumer, consumer}, {headerAttempts, "1"}, {headerErrorType, "damaged"}, {headerError, text.Cut(text.Clean(damage.Error()), mostReason)},
	} {
		own[h[0]] = true
		headers = append(headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	for _, h := range r.Headers {
		if !own[h.Key] {
			headers = append(headers, h)
		}
	}
	return headers
}
