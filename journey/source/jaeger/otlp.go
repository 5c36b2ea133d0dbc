package jaeger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/journey/source"
)

// OTLP is the answer to a search as Jaeger gave it: with events, which package journey does not keep, and with all traces of
// the answer, those that do not match the query included. Use it to store spans again.
type OTLP struct {
	Traces   []ptrace.Traces
	Warnings []journey.Warning // as in source.Answer
}

// collect returns what the messages of an answer hold.
func collect(ctx context.Context, q source.Query, search func(context.Context, source.Query, keep) (source.Answer, error)) (OTLP, error) {
	var found OTLP
	answer, err := search(ctx, q, func(t ptrace.Traces) { found.Traces = append(found.Traces, t) })
	if err != nil {
		return OTLP{}, err
	}
	found.Warnings = answer.Warnings
	return found, nil
}

// keep takes each message of an answer as OTLP. A nil keep does nothing.
type keep func(ptrace.Traces)

// copied returns a reader of an answer and the buffer that gets a copy of what is read; the buffer is nil when k is.
func (k keep) copied(answer io.Reader) (io.Reader, *bytes.Buffer) {
	if k == nil {
		return answer, nil
	}
	var read bytes.Buffer
	return io.TeeReader(answer, &read), &read
}

// json keeps an answer over HTTP: OTLP/JSON inside {"result":…}.
func (k keep) json(answer *bytes.Buffer) error {
	if k == nil {
		return nil
	}
	if err := source.CheckJSON(answer.Bytes()); err != nil {
		return fmt.Errorf("the answer is not OTLP/JSON: %w", err)
	}
	var wrapper struct {
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(answer.Bytes(), &wrapper); err != nil {
		return fmt.Errorf("the answer is not JSON: %w", err)
	}
	if len(wrapper.Result) == 0 {
		wrapper.Result = answer.Bytes()
	}
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(wrapper.Result)
	if err != nil {
		return fmt.Errorf("the answer is not OTLP/JSON: %w", err)
	}
	k(traces)
	return nil
}

// protobuf keeps a message of an answer over gRPC: an OTLP TracesData.
func (k keep) protobuf(message []byte) error {
	if k == nil {
		return nil
	}
	if err := source.CheckProtobuf(message); err != nil {
		return fmt.Errorf("the message is not an OTLP protobuf message: %w", err)
	}
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(message)
	if err != nil {
		return fmt.Errorf("the message is not an OTLP protobuf message: %w", err)
	}
	k(traces)
	return nil
}
