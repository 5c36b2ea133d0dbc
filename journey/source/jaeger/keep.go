package jaeger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Keep is given what every answer brings, as OTLP: with the events that package compare has no use for, and with all the
// traces of the answer, before any is chosen by what was asked for. Whoever stores spans again needs it.
type Keep func(ptrace.Traces)

// copied returns a reader of an answer and the buffer that gets a copy of what is read, nil when nobody keeps it.
func (k Keep) copied(answer io.Reader) (io.Reader, *bytes.Buffer) {
	if k == nil {
		return answer, nil
	}
	var read bytes.Buffer
	return io.TeeReader(answer, &read), &read
}

// json keeps an answer over HTTP: OTLP/JSON inside {"result":…}.
func (k Keep) json(answer *bytes.Buffer) error {
	if k == nil {
		return nil
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
func (k Keep) protobuf(message []byte) error {
	if k == nil {
		return nil
	}
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(message)
	if err != nil {
		return fmt.Errorf("the message is not an OTLP protobuf message: %w", err)
	}
	k(traces)
	return nil
}
