package otelkgo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// PollFetches is kgo's PollFetches with a poll span for each topic of which
// records came or that failed: a root of its own, without baggage, and with a
// link to each record's creation context. A poll that brings nothing leaves no
// span, as does one that its context ends. WithPollSpans asks for fewer spans.
//
// Consumed messages, lag and the age of the oldest message are measured here,
// so a client that polls without it has none of them.
func (in *Instrumentation) PollFetches(ctx context.Context, cl *kgo.Client) kgo.Fetches {
	return in.PollRecords(ctx, cl, -1)
}

// PollRecords is PollFetches for at most max records; 0 and less mean all.
func (in *Instrumentation) PollRecords(ctx context.Context, cl *kgo.Client, max int) kgo.Fetches {
	in = in.usable()
	if cl == nil {
		return kgo.NewErrFetch(errNil)
	}
	start := time.Now()
	fetches := cl.PollRecords(ctx, max)
	var topics []*polledTopic
	cs := in.client(cl)
	for _, f := range fetches {
		for i := range f.Topics {
			if f.Topics[i].Topic == "" {
				continue // the poll's own end: canceled, or the client is closed
			}
			topics = addPolled(topics, cs, &f.Topics[i])
		}
	}
	if len(topics) == 0 {
		return fetches
	}
	// A fetch has its topics in no order.
	slices.SortFunc(topics, func(a, b *polledTopic) int { return cmp.Compare(a.topic, b.topic) })
	ctx = isolated(orBackground(ctx))
	end := time.Now()
	for _, t := range topics {
		in.polled(ctx, t, start, end)
	}
	return fetches
}

// polledTopic is what one poll brought of one topic, from all brokers.
type polledTopic struct {
	*topicState
	partitions []*kgo.FetchPartition // those with records or with an error
	count      int
	err        error // the first
}

func addPolled(topics []*polledTopic, cs *clientState, f *kgo.FetchTopic) []*polledTopic {
	var t *polledTopic
	for _, known := range topics {
		if known.topic == f.Topic {
			t = known
		}
	}
	if t == nil {
		t = &polledTopic{topicState: cs.topic(f.Topic)}
		topics = append(topics, t)
	}
	for i := range f.Partitions {
		p := &f.Partitions[i]
		t.count += len(p.Records)
		if t.err == nil {
			t.err = p.Err
		}
		if len(p.Records) > 0 || p.Err != nil {
			t.partitions = append(t.partitions, p)
		}
		if ps := t.partition(p.Partition); ps != nil && p.Err == nil {
			ps.polled(p, cs.in.observed.Load())
		}
	}
	return topics
}

// polled measures one topic of a poll and makes the span.
func (in *Instrumentation) polled(ctx context.Context, t *polledTopic, start, end time.Time) {
	if len(t.partitions) == 0 {
		return
	}
	m := t.poll.measure
	if t.err != nil {
		m = t.poll.failed(t.err)
	}
	if h := in.instruments.operation; h.Enabled(ctx) {
		h.Record(ctx, seconds(start, end), m.record...)
	}
	if in.instruments.consumed.Enabled(ctx) {
		for _, p := range t.partitions {
			if ps := t.partition(p.Partition); ps != nil && len(p.Records) > 0 {
				in.instruments.consumed.Add(ctx, int64(len(p.Records)), ps.consumed.add...)
			}
		}
	}
	if in.pollSpans.wants(t.err) {
		in.pollSpan(ctx, t, start, end)
	}
}

func (in *Instrumentation) pollSpan(ctx context.Context, t *polledTopic, start, end time.Time) {
	_, span := in.start(ctx, t.poll.spanName, with(t.poll.root, trace.WithTimestamp(start)))
	defer span.End(trace.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	attrs := append(t.client.clientAttributes(), semconv.MessagingBatchMessageCount(t.count))
	if ps := t.partition(t.partitions[0].Partition); ps != nil && len(t.partitions) == 1 {
		attrs = append(attrs, ps.id)
	}
	if omitted := in.linkPolled(span, t); omitted > 0 {
		attrs = append(attrs, linksOmittedKey.Int(omitted))
	}
	span.SetAttributes(attrs...)
	failSpan(span, t.err)
}

// linkPolled links the span to the creation contexts of the records that were
// polled and returns how many links did not fit.
func (in *Instrumentation) linkPolled(span trace.Span, t *polledTopic) (omitted int) {
	links := 0
	for _, p := range t.partitions {
		for _, r := range p.Records {
			sc, doubled := in.extractLink(r)
			switch {
			case !sc.IsValid():
			case links == in.maxLinks:
				omitted++
			default:
				links++
				link := trace.Link{SpanContext: sc}
				if doubled > 0 {
					link.Attributes = []attribute.KeyValue{traceparentCountKey.Int(doubled)}
				}
				span.AddLink(link)
			}
		}
	}
	return omitted
}
