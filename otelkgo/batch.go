package otelkgo

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// linksOmittedKey is how many links a span lacks because they are more than
// WithMaxLinks.
const linksOmittedKey = attribute.Key("otelkgo.links.omitted")

// StartProcessBatch starts one process span for records that are handled
// together. The span is the root of its own trace, as the work belongs to as
// many traces as there are records, and carries no baggage. It has a link for
// each record that has a creation context, with what concerns that record alone
// (partition, offset, key, …) on the link. What all records share stands on the
// span; a batch over several topics names none.
//
// The records must come from one client. The caller must call End.
func (in *Instrumentation) StartProcessBatch(ctx context.Context, records []*kgo.Record) (context.Context, *Process) {
	in, ctx = in.usable(), orBackground(ctx)
	if slices.Contains(records, nil) {
		records = slices.DeleteFunc(slices.Clone(records), func(r *kgo.Record) bool { return r == nil })
	}
	b := describeBatch(in, records)
	p := &Process{in: in, topic: b.topic, start: in.clock(ctx, in.instruments.process), measure: b.topic.process.measure}
	if b.partition != nil {
		p.measure = b.partition.processed
	}
	p.enterAll(records)
	scope := trace.SpanContextFromContext(ctx)
	links, omitted := in.batchLinks(b, records, scope)
	options := with(b.topic.process.root, trace.WithLinks(links...))
	p.ctx, p.span = in.start(isolated(ctx), b.topic.process.spanName, options)
	if p.span.IsRecording() {
		p.span.SetAttributes(append(b.client.clientAttributes(), semconv.MessagingBatchMessageCount(len(records)))...)
		if b.partition != nil {
			p.span.SetAttributes(b.partition.id)
		}
		if omitted > 0 {
			p.span.SetAttributes(linksOmittedKey.Int(omitted))
		}
	}
	return p.ctx, p
}

// ProcessBatch calls handle within the process span of a batch, as Process does
// for one record. Without records it does nothing.
func (in *Instrumentation) ProcessBatch(ctx context.Context, records []*kgo.Record, handle func(context.Context, []*kgo.Record) error) error {
	if len(records) == 0 {
		return nil
	}
	if handle == nil {
		return errNil
	}
	ctx, p := in.StartProcessBatch(ctx, records)
	return p.run(func() error { return handle(ctx, records) })
}

// batch is what the records of a batch share.
type batch struct {
	client *clientState
	// topic is that of all records, or one without a name.
	topic *topicState
	// partition is that of all records, or nil.
	partition *partitionState
}

func describeBatch(in *Instrumentation, records []*kgo.Record) batch {
	if len(records) == 0 {
		return batch{client: in.unknown, topic: in.unknown.topic("")}
	}
	first := records[0]
	b := batch{client: in.clientOf(first)}
	oneTopic, onePartition := true, true
	for _, r := range records[1:] {
		oneTopic = oneTopic && r.Topic == first.Topic
		onePartition = onePartition && r.Partition == first.Partition
	}
	if !oneTopic {
		b.topic = b.client.topic("")
		return b
	}
	b.topic = b.client.topic(first.Topic)
	if onePartition {
		b.partition = b.topic.partition(first.Partition)
	}
	return b
}

// batchLinks returns the links of a batch, no more than WithMaxLinks, and how
// many did not fit. The scope comes first, as there is only one.
func (in *Instrumentation) batchLinks(b batch, records []*kgo.Record, scope trace.SpanContext) (links []trace.Link, omitted int) {
	links = make([]trace.Link, 0, min(len(records)+1, in.maxLinks))
	if scope.IsValid() {
		links = append(links, trace.Link{SpanContext: scope})
	}
	for _, r := range records {
		sc, doubled := in.extractLink(r)
		if !sc.IsValid() {
			continue
		}
		if len(links) == in.maxLinks {
			omitted++
			continue
		}
		links = append(links, trace.Link{SpanContext: sc, Attributes: in.linkAttributes(b, r, doubled)})
	}
	return links, omitted
}

// linkAttributes are those of one record of a batch that do not stand on its span.
func (in *Instrumentation) linkAttributes(b batch, r *kgo.Record, doubled int) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 6)
	if b.topic.topic == "" {
		attrs = append(attrs, semconv.MessagingDestinationName(text(r.Topic)))
	}
	if b.partition == nil {
		if ps := b.client.topic(r.Topic).partition(r.Partition); ps != nil {
			attrs = append(attrs, ps.id)
		}
	}
	attrs = append(attrs, semconv.MessagingKafkaOffset(int(r.Offset)))
	if doubled > 0 {
		attrs = append(attrs, traceparentCountKey.Int(doubled))
	}
	return in.appendRecord(attrs, r)
}

// enterAll registers p as open in every partition of the batch.
func (p *Process) enterAll(records []*kgo.Record) {
	var seen []*partitionState // few: not worth a map
next:
	for _, r := range records {
		ps := p.in.clientOf(r).topic(r.Topic).partition(r.Partition)
		if ps == nil {
			continue
		}
		for _, s := range seen {
			if s == ps {
				continue next
			}
		}
		f := &p.inflight
		if len(seen) > 0 {
			f = &inflight{}
			p.others = append(p.others, f)
		}
		f.process = p
		ps.enter(f)
		seen = append(seen, ps)
	}
}
