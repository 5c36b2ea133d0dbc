package services

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/telemetry"
	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// perform does one step for an order, under one INTERNAL span with the step's name. The name is the same in all forms, so their steps can be
// compared. duplicate says that the step has been done before.
func (n *node) perform(ctx context.Context, e Experiment, step Step, duplicate bool, order *orderpb.Order) error {
	ctx, span := n.telemetry.Tracer.Start(ctx, string(step), stepAttributes(step, duplicate))
	defer span.End()
	ctx, end := n.telemetry.Labels.Step(ctx, string(step))
	defer end()
	err := n.doStep(ctx, e, step, order)
	if err == nil {
		return nil
	}
	if errors.Is(err, errCrashed) {
		telemetry.MarkFailed(span, faults.Crash, err)
		return err
	}
	failed := carrier.AsFailed(string(step), err)
	if fault, ok := errors.AsType[*faults.Error](err); ok {
		failed = carrier.Fail(string(step), fault.Reason, "injected fault")
	}
	telemetry.MarkFailed(span, failed.Reason(), failed)
	n.telemetry.Log.DebugContext(ctx, "step failed", "step", string(step), "reason", failed.Reason())
	return failed
}

// stepAttributes returns the attributes with which the span of a step starts.
func stepAttributes(step Step, duplicate bool) trace.SpanStartEventOption {
	attributes := []attribute.KeyValue{attribute.String(KeyStep, string(step))}
	if duplicate {
		attributes = append(attributes, attribute.Bool(KeyDuplicate, true))
	}
	return trace.WithAttributes(attributes...)
}

// skip records a step that has been done before: it makes a span that says so, and does nothing else.
func (n *node) skip(ctx context.Context, step Step) {
	_, span := n.telemetry.Tracer.Start(ctx, string(step), stepAttributes(step, true))
	span.End()
}

// doStep does what a step consists of: the faults that the order carries, the step's cost, and its own work.
func (n *node) doStep(ctx context.Context, e Experiment, step Step, order *orderpb.Order) error {
	ctx, cancel := n.life.Context(ctx)
	defer cancel()
	if err := n.crashAt(ctx, e, faults.BeforeWork); err != nil {
		return err
	}
	if err := n.doWhile(ctx, e, step, order); err != nil {
		return err
	}
	if err := n.life.Wait(); err != nil { // a paused service does not finish a step
		return err
	}
	return n.crashAt(ctx, e, faults.AfterWork)
}

// doWhile is the part of doStep that ends when the service is killed.
func (n *node) doWhile(ctx context.Context, e Experiment, step Step, order *orderpb.Order) error {
	if n.allowFaults {
		if err := n.misbehave(ctx, e); err != nil {
			return err
		}
	}
	row, ok := n.flow.Work(step)
	if !ok {
		return carrier.Fail(string(step), carrier.BadRequest, "the flow "+n.flow.Name+" has no such step")
	}
	if err := n.readView(ctx, e, step); err != nil {
		return err
	}
	if err := e.work(ctx, row); err != nil {
		return err
	}
	return codeOf(n.flow.Flow, step)(ctx, step, order)
}
