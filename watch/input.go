package watch

import (
	"context"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/text"
	"tracelab/watch/record"
)

// Headers of a dead letter. The lab's services use the same ones, so tracelab redrive can send it back. The record's own headers stay.
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

// openInput joins the consumer group of the input.
func (w *watcher) openInput(life context.Context) error {
	return w.open(life, &w.in, func(context.Context, int32, int64) (*place, error) { return &place{}, nil })
}

// readInput writes the spans of records to the work topic, and damaged records to the dead letters.
func (w *watcher) readInput(st *step, fetches kgo.Fetches) (left bool) {
	fetches.EachRecord(func(r *kgo.Record) {
		p := w.in.parts[r.Partition]
		if p == nil {
			return // another watcher has the partition now
		}
		p.next = r.Offset + 1
		batch := w.intake.Read(r.Value)
		w.sums.read(batch.Spans, batch.Damaged > 0)
		for i := range batch.Records {
			w.writeWork(&w.in, st, &batch.Records[i])
		}
		if batch.Damaged > 0 {
			w.deadLetter(st, r, batch.Reason)
		}
	})
	return false
}

// writeWork writes a record to the work topic, into the partition of its trace.
func (w *watcher) writeWork(s *stage, st *step, r *record.Record) {
	s.write(st, &kgo.Record{
		Topic: w.config.workTopic(), Partition: record.Partition(r.To, w.config.Partitions), Key: slices.Clone(r.To[:]), Value: r.Append(make([]byte, 0, sizeOf(r))),
	})
}

// sizeOf returns how many bytes a record takes, or some more: so its value is made once, and not anew as it grows.
func sizeOf(r *record.Record) int {
	size := 64 + 27*len(r.Roots)
	for _, list := range [...][][]byte{r.Spans, r.Stubs} {
		for _, b := range list {
			size += len(b) + 3
		}
	}
	return size
}

// deadLetter writes a record to the dead letters that is damaged, in part or as a whole.
func (w *watcher) deadLetter(st *step, r *kgo.Record, reason string) {
	w.trouble.say("a record cannot be read: it is with the dead letters", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", reason)
	dead := &kgo.Record{Topic: w.config.deadTopic(), Key: r.Key, Value: r.Value, Headers: deathHeaders(r, w.config.Group, reason)}
	if len(dead.Value) > mostDead {
		dead.Value = nil
		w.config.Logger.Error("the dead letter has no value: the record is too large", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "bytes", len(r.Value))
	}
	w.in.write(st, dead)
}

func deathHeaders(r *kgo.Record, consumer string, reason string) []kgo.RecordHeader {
	own := map[string]bool{}
	var headers []kgo.RecordHeader
	for _, h := range [][2]string{
		{headerOriginTopic, r.Topic}, {headerOriginPartition, strconv.Itoa(int(r.Partition))}, {headerOriginOffset, strconv.FormatInt(r.Offset, 10)},
		{headerConsumer, consumer}, {headerAttempts, "1"}, {headerErrorType, "damaged"}, {headerError, text.Cut(text.Clean(reason), mostReason)},
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
