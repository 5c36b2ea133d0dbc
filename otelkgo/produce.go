package otelkgo

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// ProduceSync is kgo's ProduceSync with the spans that the conventions want: one
// send span for a single record, and those of SendBatch for several. kgo's own
// ProduceSync works, too: the hooks make a send span for each record.
func (in *Instrumentation) ProduceSync(ctx context.Context, cl *kgo.Client, records ...*kgo.Record) kgo.ProduceResults {
	if cl == nil || len(records) != 1 || records[0] == nil {
		return in.SendBatch(ctx, cl, records...)
	}
	return cl.ProduceSync(orBackground(ctx), records...)
}

// SendBatch produces records together and waits for all acknowledgements, with
// a create span for each record and one send span for each topic, of kind
// CLIENT, which links to them. The results are those of kgo's ProduceSync.
func (in *Instrumentation) SendBatch(ctx context.Context, cl *kgo.Client, records ...*kgo.Record) kgo.ProduceResults {
	if cl == nil || slices.Contains(records, nil) {
		return refused(records, errNil)
	}
	in, ctx = in.usable(), orBackground(ctx)
	cs := in.client(cl)
	var sends []*batchSend // in the order of the records
	for _, r := range records {
		before := r.Context
		defer func() { r.Context = before }()
		created := in.create(ctx, cs, r, true)
		sends = addToBatch(sends, cs.topic(r.Topic), created)
	}
	for _, s := range sends {
		in.startBatchSend(ctx, s)
	}
	results := cl.ProduceSync(ctx, records...)
	for _, s := range sends {
		s.end(results)
	}
	return results
}

// batchSend is the sending of the records of one topic.
type batchSend struct {
	topic   *topicState
	created []trace.SpanContext
	span    trace.Span
}

func addToBatch(sends []*batchSend, ts *topicState, created trace.SpanContext) []*batchSend {
	for _, s := range sends {
		if s.topic.topic == ts.topic {
			s.created = append(s.created, created)
			return sends
		}
	}
	return append(sends, &batchSend{topic: ts, created: []trace.SpanContext{created}})
}

func (in *Instrumentation) startBatchSend(ctx context.Context, s *batchSend) {
	linked := s.created[:min(len(s.created), in.maxLinks)]
	options := withLinks(s.topic.sendCreated.start, linked...)
	_, s.span = in.start(ctx, s.topic.sendCreated.spanName, options)
	if !s.span.IsRecording() {
		return
	}
	s.span.SetAttributes(append(s.topic.client.clientAttributes(), semconv.MessagingBatchMessageCount(len(s.created)))...)
	if omitted := len(s.created) - len(linked); omitted > 0 {
		s.span.SetAttributes(linksOmittedKey.Int(omitted))
	}
}

// end ends the span with the first error of its records.
func (s *batchSend) end(results kgo.ProduceResults) {
	for _, r := range results {
		if r.Err != nil && r.Record.Topic == s.topic.topic {
			failSpan(s.span, r.Err)
			break
		}
	}
	s.span.End()
}

// refused returns results in which no record was sent.
func refused(records []*kgo.Record, err error) kgo.ProduceResults {
	results := make(kgo.ProduceResults, len(records))
	for i, r := range records {
		results[i] = kgo.ProduceResult{Record: r, Err: err}
	}
	return results
}
