package lab_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/testkit"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// A step that failed has its span, unless the call that failed may never have reached it.
func TestAStepThatWasNotReachedHasNoSpan(t *testing.T) {
	root := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "client")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	for i, step := range []services.Step{"", "orders.Accept", "inventory.Reserve"} {
		span := spans.AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		span.SetStartTimestamp(1000)
		span.SetEndTimestamp(2000)
		span.Attributes().PutStr(services.KeyRun, "run")
		span.Attributes().PutStr(services.KeyForm, "grpc")
		span.Attributes().PutStr(services.KeyNumber, "0")
		if i > 0 {
			span.SetParentSpanID(pcommon.SpanID{1})
			span.Attributes().PutStr("tracelab.step", string(step))
		}
	}
	batch, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	collector := testkit.NewSpanStore()
	collector.Add(batch)
	for reason, want := range map[string]string{"unavailable": "", "timeout": "", "payment_declined": "no span of step payment.Charge"} {
		state := services.State{Form: services.GRPC, Status: services.Failed, Steps: []services.Step{"orders.Accept", "inventory.Reserve"},
			Failures: []services.StepFailure{{Step: "payment.Charge", Reason: reason}}}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		reasons, err := lab.Judgement(ctx, t, "run", collector, nil, []lab.PlacedOrder{lab.WithRoot(rundir.Order{Form: "grpc"}, root)}, []services.State{state})
		cancel()
		if err != nil || reasons[0] != want {
			t.Errorf("%s: incomplete %q, %v, want %q", reason, reasons[0], err, want)
		}
	}
}
