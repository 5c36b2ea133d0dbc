package otelkgo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// CommitOffsets commits offsets (each the next one to read) and waits for the
// answer, with a commit span for each topic. The spans are roots of their own
// without baggage, whatever span ctx carries: a commit settles the work of many
// traces. The error names every topic and partition that was refused.
func (in *Instrumentation) CommitOffsets(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	if len(offsets) == 0 {
		return nil
	}
	ctx = isolated(ctx)
	cs := in.client(cl)
	topics := slices.Sorted(maps.Keys(offsets))
	spans := make(map[string]trace.Span, len(topics))
	for _, topic := range topics {
		spans[topic] = in.startCommit(ctx, cs.topic(topic), offsets[topic])
	}
	failed := commit(ctx, cl, offsets)
	var all []error
	for _, topic := range topics {
		err := failed[topic]
		failSpan(spans[topic], err)
		spans[topic].End()
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (in *Instrumentation) startCommit(ctx context.Context, ts *topicState, partitions map[int32]kgo.EpochOffset) trace.Span {
	options := append([]trace.SpanStartOption{trace.WithNewRoot()}, ts.commit.start...)
	_, span := in.tracer.Start(ctx, ts.commit.spanName, options...)
	if len(partitions) == 1 && span.IsRecording() {
		for p, o := range partitions {
			span.SetAttributes(
				semconv.MessagingDestinationPartitionID(ts.partition(p).id),
				semconv.MessagingKafkaOffset(int(o.Offset)),
			)
		}
	}
	return span
}

// commit returns the error of each topic that was not committed in full.
func commit(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) map[string]error {
	failed := map[string]error{}
	cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			for topic := range offsets {
				failed[topic] = fmt.Errorf("commit of topic %s: %w", topic, err)
			}
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					err = fmt.Errorf("commit of topic %s partition %d: %w", t.Topic, p.Partition, err)
					failed[t.Topic] = errors.Join(failed[t.Topic], err)
				}
			}
		}
	})
	return failed
}
