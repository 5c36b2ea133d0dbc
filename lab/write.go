package lab

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/lab/rundir"
)

// writeRun writes the run directory: the spans by form and order, the orders, and the result as its manifest.
func writeRun(out string, result *Result, orders []rundir.Order, spans sorted) error {
	w, err := rundir.Create(out, result.Run)
	if err != nil {
		return err
	}
	for form, byNumber := range spans.forms {
		for _, number := range sortedKeys(byNumber) {
			err = errors.Join(err, appendSpans(w, string(form), byNumber[number]))
		}
	}
	if spans.shared.SpanCount() > 0 { // without messages nothing is shared
		err = errors.Join(err, appendSpans(w, rundir.Shared, spans.shared))
	}
	if err != nil {
		return errors.Join(err, w.Abandon())
	}
	return w.Commit(slices.Values(orders), result)
}

func appendSpans(w *rundir.Writer, form string, spans ptrace.Traces) error {
	document, err := (&ptrace.JSONMarshaler{}).MarshalTraces(spans)
	if err != nil {
		return fmt.Errorf("encode spans of %s: %w", form, err)
	}
	_, err = w.Append(form, document)
	return err
}
