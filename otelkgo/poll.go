package otelkgo

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// PollFetches is kgo's PollFetches with a poll span for each topic of which
// records came: a root of its own, without baggage, and with a link to each
// record's creation context. A poll that brings nothing leaves no span.
func (in *Instrumentation) PollFetches(ctx context.Context, cl *kgo.Client) kgo.Fetches {
	return in.PollRecords(ctx, cl, -1)
}

// PollRecords is PollFetches for at most max records; 0 and less mean all.
func (in *Instrumentation) PollRecords(ctx context.Context, cl *kgo.Client, max int) kgo.Fetches {
	start := time.Now()
	fetches := cl.PollRecords(ctx, max)
	if fetches.Empty() {
		return fetches
	}
	in.polled(isolated(ctx), in.client(cl), start, fetches)
	return fetches
}

// polled makes the poll spans of one poll. ctx has no span and no baggage.
func (in *Instrumentation) polled(ctx context.Context, cs *clientState, start time.Time, fetches kgo.Fetches) {
	byTopic := make(map[string][]*kgo.FetchPartition, 1)
	var topics []string // in the order of the fetch
	for _, f := range fetches {
		for i := range f.Topics {
			t := &f.Topics[i]
			if _, ok := byTopic[t.Topic]; !ok {
				topics = append(topics, t.Topic)
			}
			for j := range t.Partitions {
				if p := &t.Partitions[j]; len(p.Records) > 0 || p.Err != nil {
					byTopic[t.Topic] = append(byTopic[t.Topic], p)
				}
			}
		}
	}
	end := time.Now()
	for _, topic := range topics {
		in.polledTopic(ctx, cs.topic(topic), start, end, byTopic[topic])
	}
}

func (in *Instrumentation) polledTopic(ctx context.Context, ts *topicState, start, end time.Time, partitions []*kgo.FetchPartition) {
	count := 0
	var err error
	for _, p := range partitions {
		count += len(p.Records)
		if err == nil {
			err = p.Err
		}
	}
	if count == 0 {
		return
	}
	options := append([]trace.SpanStartOption{trace.WithNewRoot(), trace.WithTimestamp(start)}, ts.poll.start...)
	_, span := in.tracer.Start(ctx, ts.poll.spanName, options...)
	if span.IsRecording() {
		span.SetAttributes(semconv.MessagingBatchMessageCount(count))
		if len(partitions) == 1 {
			span.SetAttributes(semconv.MessagingDestinationPartitionID(ts.partition(partitions[0].Partition).id))
		}
		for _, p := range partitions {
			for _, r := range p.Records {
				in.linkTo(span, r)
			}
		}
		failSpan(span, err)
	}
	span.End(trace.WithTimestamp(end))
}

// linkTo adds a link to the creation context of r, if it has one.
func (in *Instrumentation) linkTo(span trace.Span, r *kgo.Record) {
	ctx := in.propagator.Extract(context.Background(), RecordCarrier{r})
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		span.AddLink(trace.Link{SpanContext: sc})
	}
}
