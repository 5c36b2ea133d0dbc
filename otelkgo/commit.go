package otelkgo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// CommitOffsets commits offsets (each the next one to read) and waits for the
// answer, with a commit span for each topic. The spans are roots without
// baggage, whatever span ctx carries: a commit settles the work of many traces.
// The error names every topic and partition that was refused.
// WithCommitSpans asks for fewer spans.
//
// Partitions that OnPartitionsLost has marked are not committed; the error then
// wraps ErrPartitionLost.
func (in *Instrumentation) CommitOffsets(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	if len(offsets) == 0 {
		return nil
	}
	if cl == nil {
		return errNil
	}
	in, ctx = in.usable(), isolated(orBackground(ctx))
	cs := in.client(cl)
	owned, lost := cs.withoutLost(offsets)
	start := time.Now()
	failed := commit(ctx, cl, owned)
	end := time.Now()
	var all []error
	for _, topic := range slices.Sorted(maps.Keys(owned)) {
		in.committed(ctx, cs.topic(topic), owned[topic], start, end, failed[topic])
		all = append(all, failed[topic])
	}
	for _, topic := range slices.Sorted(maps.Keys(lost)) {
		all = append(all, fmt.Errorf("commit of topic %s partitions %v: %w", topic, lost[topic], ErrPartitionLost))
	}
	return errors.Join(all...)
}

// committed measures the commit of one topic, which came to err, and makes its span.
func (in *Instrumentation) committed(ctx context.Context, ts *topicState, partitions map[int32]kgo.EpochOffset, start, end time.Time, err error) {
	if h := in.instruments.operation; h.Enabled(ctx) {
		m := ts.commit.measure
		if err != nil {
			m = ts.commit.failed(err)
		}
		h.Record(ctx, seconds(start, end), m.record...)
	}
	if in.commitSpans.wants(err) {
		in.commitSpan(ctx, ts, partitions, start, end, err)
	}
}

func (in *Instrumentation) commitSpan(ctx context.Context, ts *topicState, partitions map[int32]kgo.EpochOffset, start, end time.Time, err error) {
	_, span := in.start(ctx, ts.commit.spanName, with(ts.commit.root, trace.WithTimestamp(start)))
	defer span.End(trace.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(ts.client.clientAttributes()...)
	if len(partitions) == 1 {
		for p, o := range partitions {
			if ps := ts.partition(p); ps != nil {
				span.SetAttributes(ps.id, semconv.MessagingKafkaOffset(int(o.Offset)))
			}
		}
	}
	failSpan(span, err)
}

// commit returns the error of each topic that was not committed in full.
func commit(ctx context.Context, cl *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) map[string]error {
	failed := map[string]error{}
	if len(offsets) == 0 {
		return failed
	}
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
