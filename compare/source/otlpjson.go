package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/compare"
)

// errOtherSignal tells that a document holds logs, metrics or profiles, or nothing.
var errOtherSignal = errors.New("no traces")

// decodeDocument reads one OTLP/JSON object: TracesData, or one of the wrappings in which Jaeger and others hand it out,
// {"result":…} and {"batches":[…]}.
func decodeDocument(text []byte, where string) ([]compare.Span, error) {
	switch key := firstKey(text); key {
	case "resourceSpans":
		return decodeTraces(text, where)
	case "resourceLogs", "resourceMetrics", "resourceProfiles":
		return nil, errOtherSignal
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if result, ok := fields["result"]; ok && len(fields) == 1 {
		return decodeDocument(bytes.TrimSpace(result), where)
	}
	if batches, ok := fields["batches"]; ok {
		return decodeTraces(slices.Concat([]byte(`{"resourceSpans":`), batches, []byte(`}`)), where)
	}
	if _, ok := fields["resourceSpans"]; ok {
		return decodeTraces(text, where)
	}
	for _, key := range []string{"resourceLogs", "resourceMetrics", "resourceProfiles"} {
		if _, ok := fields[key]; ok {
			return nil, errOtherSignal
		}
	}
	if len(fields) == 0 {
		return nil, errOtherSignal
	}
	keys := slices.Sorted(maps.Keys(fields))
	return nil, fmt.Errorf("no field resourceSpans, batches or result, but %.60q", strings.Join(keys, ", "))
}

func decodeTraces(text []byte, where string) ([]compare.Span, error) {
	var u ptrace.JSONUnmarshaler
	traces, err := u.UnmarshalTraces(text)
	if err != nil {
		return nil, fmt.Errorf("not OTLP/JSON: %s", oneLine(err))
	}
	return FromTraces(traces, where), nil
}

// oneLine shortens a decoder's error, which quotes a long stretch of the input after the first part.
func oneLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", bigger context")
	return strings.Join(strings.Fields(text), " ")
}

// firstKey returns the first key of an object when it is written plainly, or "".
func firstKey(text []byte) string {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("{"))
	if !ok {
		return ""
	}
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(`"`))
	if !ok {
		return ""
	}
	key, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(key)
}
