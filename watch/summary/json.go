package summary

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"tracelab/journey"
)

// maxBytes bounds a line that Parse reads: Kafka's default for the size of a record.
const maxBytes = 1 << 20

//go:embed summary.schema.json
var schema string

// JSONSchema returns the JSON Schema of a summary.
func JSONSchema() []byte { return []byte(schema) }

// JSON writes the summary as one line, without a line break at its end. Equal summaries give equal bytes.
func (s Summary) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil // never: there are only texts, numbers that are finite, lists and maps of these
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Parse reads what JSON wrote, by any version that has the same schema: fields that it does not know are left out. It refuses
// a line of more than 1 MiB, and one whose values cannot be those of a journey.
func Parse(line []byte) (Summary, error) {
	if len(line) > maxBytes {
		return Summary{}, fmt.Errorf("summary: %d bytes are more than a summary has (%d): is this another topic", len(line), maxBytes)
	}
	var s Summary
	if err := json.Unmarshal(line, &s); err != nil {
		return Summary{}, fmt.Errorf("summary: %w", err)
	}
	if s.Schema != Schema {
		return Summary{}, fmt.Errorf("summary: schema %.40q is not %s: is this another topic, or one of a newer version", s.Schema, Schema)
	}
	if err := s.check(); err != nil {
		return Summary{}, fmt.Errorf("summary of trace %.40q: %w", s.Root.Trace, err)
	}
	return s, nil
}

// check refuses what Of never writes and a reader would stumble over.
func (s *Summary) check() error {
	if _, err := journey.ParseTraceID(s.Root.Trace); err != nil {
		return err
	}
	if _, err := journey.ParseSpanID(s.Root.Span); err != nil {
		return err
	}
	switch s.Outcome {
	case OK, Error, Incomplete:
	default:
		return fmt.Errorf("outcome %.40q is none of ok, error and incomplete", s.Outcome)
	}
	if s.Spans < 0 || s.Traces < 0 || s.Messages < 0 || s.Deliveries < 0 {
		return errors.New("a count is negative")
	}
	if s.CallerWait != nil && *s.CallerWait < 0 || s.Completion != nil && *s.Completion < 0 || s.Tail != nil && *s.Tail < 0 {
		return errors.New("a measure is negative")
	}
	if s.Weight != nil && *s.Weight < 0 {
		return errors.New("its weight is negative")
	}
	if len(s.Queues) > maxQueues || len(s.Steps) > maxSteps || len(s.Warnings) > maxWarnings || len(s.Unreceived) > maxUnreceived || len(s.Lint) > maxRules {
		return errors.New("a list is longer than it can be")
	}
	return s.checkParts()
}

// checkParts checks the elements of lists.
func (s *Summary) checkParts() error {
	for _, q := range s.Queues {
		if q.Deliveries < len(q.Waits) || len(q.Waits) > maxWaits {
			return fmt.Errorf("queue %.40q has %d deliveries, and waits of %d", q.Topic, q.Deliveries, len(q.Waits))
		}
	}
	for _, x := range s.Steps {
		if x.Work < 0 || x.Wait < 0 {
			return fmt.Errorf("step %.40q has a negative part of the path", x.Name)
		}
	}
	if s.Rest != nil && (s.Rest.Steps < 0 || s.Rest.Work < 0 || s.Rest.Wait < 0) {
		return errors.New("the rest of its steps is negative")
	}
	for rule, n := range s.Lint {
		if n < 0 {
			return fmt.Errorf("rule %.40q has a negative number of findings", rule)
		}
	}
	return nil
}
