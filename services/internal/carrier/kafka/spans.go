package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/plugin/kotel"

	kafkaoffsets "tracelab/internal/offsets"
	"tracelab/otelkgo"
)

// spans makes the spans of messages: by otelkgo, or by kotel as it is shipped, to see what that does to a journey.
type spans interface {
	hooks() []kgo.Hook
	poll(ctx context.Context, client *kgo.Client, most int) kgo.Fetches
	// process begins a record's process span; ctx gets the span and the record's baggage. End ends it, once.
	process(ctx context.Context, r *kgo.Record) (processing context.Context, end func(error))
	commit(ctx context.Context, client *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error
	// lost and assigned are called when the group loses and gets partitions, so that work on a lost one ends as such.
	lost(client *kgo.Client, partitions map[string][]int32)
	assigned(client *kgo.Client, partitions map[string][]int32)
}

// newSpans makes the instrumentation that the configuration asks for.
func newSpans(config Config) (spans, error) {
	if config.Kotel {
		return kotelSpans{kotel.NewTracer(
			kotel.TracerProvider(config.Provider.Spans), kotel.TracerPropagator(config.Provider.Propagator),
			kotel.ClientID(config.Service), kotel.ConsumerGroup(config.Prefix+config.Service),
		)}, nil
	}
	plain := func(name string) string { return strings.TrimPrefix(name, config.Prefix) } // each run has its own prefix
	mode := otelkgo.SpanOnError                                                          // polls and commits serve many orders: their traces of one span would fill a store
	if config.Polls {
		mode = otelkgo.SpanAlways
	}
	in, err := otelkgo.New(
		otelkgo.WithPollSpans(mode), otelkgo.WithCommitSpans(mode), otelkgo.WithConversationID(func(r *kgo.Record) string { return string(r.Key) }),
		otelkgo.WithTracerProvider(config.Provider.Spans), otelkgo.WithMeterProvider(config.Provider.Meters),
		otelkgo.WithPropagator(config.Provider.Propagator),
		otelkgo.WithRelationFunc(func(ctx context.Context, _ *kgo.Record) otelkgo.Relation { return relationOf(config.Relation(ctx)) }),
		otelkgo.WithDestinationTemplate(plain), otelkgo.WithGroupName(plain),
	)
	if err != nil {
		return nil, fmt.Errorf("kafka instrumentation of %s: %w", config.Service, err)
	}
	return otelkgoSpans{in}, nil
}

// relationOf returns otelkgo's word for a relation.
func relationOf(parent, link bool) otelkgo.Relation {
	switch {
	case !link:
		return otelkgo.RelationParent
	case !parent:
		return otelkgo.RelationLink
	default:
		return otelkgo.RelationBoth
	}
}

type otelkgoSpans struct{ in *otelkgo.Instrumentation }

func (s otelkgoSpans) hooks() []kgo.Hook { return s.in.Hooks() }

func (s otelkgoSpans) poll(ctx context.Context, client *kgo.Client, most int) kgo.Fetches {
	return s.in.PollRecords(ctx, client, most)
}

func (s otelkgoSpans) process(ctx context.Context, r *kgo.Record) (context.Context, func(error)) {
	ctx, process := s.in.StartProcess(ctx, r)
	return ctx, process.End
}

func (s otelkgoSpans) commit(ctx context.Context, client *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	return s.in.CommitOffsets(ctx, client, offsets)
}

func (s otelkgoSpans) lost(client *kgo.Client, partitions map[string][]int32) {
	s.in.OnPartitionsLost(context.Background(), client, partitions)
}

func (s otelkgoSpans) assigned(client *kgo.Client, partitions map[string][]int32) {
	s.in.OnPartitionsAssigned(context.Background(), client, partitions)
}

// kotelSpans makes kotel's spans: none for polls and commits, and others with names of its own.
type kotelSpans struct{ tracer *kotel.Tracer }

func (s kotelSpans) hooks() []kgo.Hook { return []kgo.Hook{s.tracer} }

func (s kotelSpans) poll(ctx context.Context, client *kgo.Client, most int) kgo.Fetches {
	return client.PollRecords(ctx, most)
}

// process takes the context from the record, where kotel put it when the record was fetched.
func (s kotelSpans) process(_ context.Context, r *kgo.Record) (context.Context, func(error)) {
	ctx, span := s.tracer.WithProcessSpan(r)
	return context.WithoutCancel(ctx), func(err error) {
		if err != nil {
			span.RecordError(err)
		}
		span.End()
	}
}

func (s kotelSpans) commit(ctx context.Context, client *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	var failed error
	client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		failed = errors.Join(err, kafkaoffsets.Refusals(answer))
	})
	return failed
}

// kotel does not know of partitions that come and go.
func (s kotelSpans) lost(*kgo.Client, map[string][]int32)     {}
func (s kotelSpans) assigned(*kgo.Client, map[string][]int32) {}
