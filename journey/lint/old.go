package lint

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// readOld collects old names whose successors are missing (an instrumentation may give both), and takes their values.
func (m *message) readOld(span *journey.Span) {
	for i := range span.Attributes {
		a := &span.Attributes[i]
		if !strings.HasPrefix(a.Key, semconv.MessagingPrefix) {
			continue
		}
		r, ok := semconv.RenameOf(a.Key)
		if !ok {
			continue
		}
		if _, both := span.Attr(r.Now); r.Now == "" || !both {
			m.old = append(m.old, r)
			m.take(r.Now, a)
		}
	}
	m.oldForm = m.opName == "" && m.opType == "" && (len(m.old) > 0 || oldSpanName(span.Name, m.destination))
}

// take keeps the value of an old attribute under its present name.
func (m *message) take(now string, a *journey.Attribute) {
	switch now {
	case semconv.MessagingOperationName:
		m.op = semconv.ParseOperation(a.Value.String())
	case semconv.MessagingDestinationName:
		m.destination = a.Value.String()
	case semconv.MessagingDestinationPartitionID:
		m.partition = journey.StringValue(a.Value.String())
	case semconv.MessagingConsumerGroupName:
		m.group = a.Value.String()
	default:
		if now != "" {
			m.readPerMessage(&journey.Attribute{Key: now, Value: a.Value})
		}
	}
}

// oldSpanName reports a name in the form of the conventions up to 1.24: destination, then operation.
func oldSpanName(name, destination string) bool {
	at := strings.LastIndexByte(name, ' ')
	if at < 0 || destination != "" && name[:at] != destination {
		return false
	}
	return semconv.ParseOperation(name[at+1:]) != semconv.OperationNone
}
