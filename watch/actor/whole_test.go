package actor_test

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/watch/actor"
	"tracelab/watch/intake"
	"tracelab/watch/record"
)

// What is made slim and judged alone has the figures that the judge finds for it in a file with all spans, read as compare reads it: so the
// reference of the other tests, which shares both steps with the actors, is right itself.
func TestSlimSpansAloneGiveTheFiguresOfTheWholeFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(tracesOf(drawWorld(t)))
		if err != nil {
			t.Fatal(err)
		}
		full, err := source.FromOTLP(message, "world.otlp")
		if err != nil {
			t.Fatal(err)
		}
		var slim []journey.Span
		batch := intake.New().Read(message)
		for _, r := range batch.Records {
			for _, b := range r.Spans {
				s, err := record.DecodeSpan(b)
				if err != nil {
					t.Fatal(err)
				}
				slim = append(slim, s)
			}
		}
		if len(slim) != len(full) {
			t.Fatalf("%d spans, want %d: %s", len(slim), len(full), batch.Reason)
		}
		for _, j := range journey.NewSet(full).Journeys() {
			root, rooted := j.Root()
			if !rooted || callsAcross(j) {
				continue
			}
			alone, ok := actor.Judge(slim, j.Set().Span(root).Trace)
			if !ok {
				t.Fatalf("no journey alone of\n%s", figures(j))
			}
			if got, want := figures(alone), figures(j); got != want {
				t.Fatalf("alone:\n%s\nin the whole file:\n%s", got, want)
			}
		}
	})
}

// callsAcross reports whether a span outside of a journey calls one in it, or one of its spans one outside, which did the part of other messages of a batch. A
// called span ends with its caller, and the caller waits meanwhile; but alone a journey has stubs of direct causes only, so it ends with its caller's
// last word, and knows nothing of what was called for others.
func callsAcross(j *journey.Journey) bool {
	for i := range journey.Index(j.Set().Len()) {
		if caller, called := j.Set().Caller(i); called && j.Contains(i) != j.Contains(caller) {
			return true
		}
		for e := range j.Set().Causes(i) {
			if e.Class == journey.ClassCall && j.Contains(i) && !j.Contains(e.From) {
				return true
			}
		}
	}
	return false
}

// tracesOf writes spans as an exporter does, with what no rule reads.
func tracesOf(spans []journey.Span) ptrace.Traces {
	all := ptrace.NewTraces()
	for i := range spans {
		s := &spans[i]
		of := all.ResourceSpans().AppendEmpty()
		of.Resource().Attributes().PutStr("service.name", s.Service)
		of.Resource().Attributes().PutStr("telemetry.sdk.name", "opentelemetry")
		scope := of.ScopeSpans().AppendEmpty()
		scope.Scope().SetName("instrumentation")
		x := scope.Spans().AppendEmpty()
		x.SetTraceID(pcommon.TraceID(s.Trace))
		x.SetSpanID(pcommon.SpanID(s.ID))
		x.SetParentSpanID(pcommon.SpanID(s.Parent))
		x.SetName(s.Name)
		x.SetKind(ptrace.SpanKind(s.Kind))
		x.SetStartTimestamp(pcommon.Timestamp(s.Start))
		x.SetEndTimestamp(pcommon.Timestamp(s.End))
		x.Attributes().PutStr("thread.name", "main")
		put(x.Attributes(), s.Attributes)
		x.Events().AppendEmpty().SetName("began")
		if s.Status == journey.StatusError {
			x.Status().SetCode(ptrace.StatusCodeError)
		}
		for _, l := range s.Links {
			to := x.Links().AppendEmpty()
			to.SetTraceID(pcommon.TraceID(l.Trace))
			to.SetSpanID(pcommon.SpanID(l.Span))
			put(to.Attributes(), l.Attributes)
		}
	}
	return all
}

func put(to pcommon.Map, list []journey.Attribute) {
	for _, a := range list {
		to.PutStr(a.Key, a.Value.String())
	}
}
