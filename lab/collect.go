package lab

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"tracelab/journey/source"
)

// collector hands every span that reaches the lab to the judge, and to what sends spans on. Spans come from this process,
// through an exporter whose client the collector is, or from elsewhere, through an OTLP receiver.
type collector struct {
	judge    *judge
	jaeger   *fetcher  // that must not fetch these spans again; nil: none does
	sendOn   *backlog  // nil: nothing is sent on
	unjudged *unjudged // where spans wait for the judge; nil: it takes them at once
}

// Start is part of otlptrace.Client; there is nothing to connect to.
func (c *collector) Start(context.Context) error { return nil }

// Stop is part of otlptrace.Client.
func (c *collector) Stop(context.Context) error { return nil }

// UploadTraces takes spans from an exporter in this process.
func (c *collector) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	batch, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("keep spans: %w", err)
	}
	c.keep(batch, countSpans(spans))
	return nil
}

// add takes spans as an OTLP protobuf TracesData (or an export request, which is the same on the wire).
func (c *collector) add(batch []byte) {
	spans := 0
	if c.sendOn != nil {
		traces, err := decode(batch)
		if err != nil {
			c.judge.damagedBatch()
			return
		}
		spans = traces.SpanCount()
	}
	c.keep(batch, spans)
}

// keep takes a batch of so many spans.
func (c *collector) keep(batch []byte, spans int) {
	if c.sendOn != nil {
		c.sendOn.add(batch, spans)
	}
	if c.unjudged != nil {
		c.unjudged.add(batch)
		return
	}
	c.toJudge(batch)
}

func countSpans(resources []*tracepb.ResourceSpans) (n int) {
	for _, r := range resources {
		for _, s := range r.GetScopeSpans() {
			n += len(s.GetSpans())
		}
	}
	return n
}

// toJudge gives the judge a batch. One that cannot be read is counted.
func (c *collector) toJudge(batch []byte) {
	traces, err := decode(batch)
	if err != nil {
		c.judge.damagedBatch()
		return
	}
	if c.jaeger != nil {
		c.jaeger.note(traces)
	}
	c.judge.add(traces)
}

// flush gives the judge what waits for it.
func (c *collector) flush() {
	if c.unjudged != nil {
		c.unjudged.drain()
	}
}

// decode reads a batch. Nesting that would exhaust the stack is refused before it is decoded.
func decode(batch []byte) (ptrace.Traces, error) {
	if err := source.CheckProtobuf(batch); err != nil {
		return ptrace.Traces{}, fmt.Errorf("read collected spans: %w", err)
	}
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
	if err != nil {
		return traces, fmt.Errorf("read collected spans: %w", err)
	}
	return traces, nil
}
