package journey

import "strconv"

// Kind is the kind of a span, numbered as in OTLP.
type Kind uint8

// The span kinds of OpenTelemetry.
const (
	KindUnspecified Kind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

// String returns the kind's name in OpenTelemetry, such as SERVER.
func (k Kind) String() string {
	names := [...]string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}
	if int(k) < len(names) {
		return names[k]
	}
	return "KIND(" + strconv.Itoa(int(k)) + ")"
}

// Status is the status code of a span, numbered as in OTLP.
type Status uint8

// The status codes of OpenTelemetry.
const (
	StatusUnset Status = iota
	StatusOK
	StatusError
)

// String returns the status as OpenTelemetry calls it, such as Error.
func (s Status) String() string {
	names := [...]string{"Unset", "Ok", "Error"}
	if int(s) < len(names) {
		return names[s]
	}
	return "STATUS(" + strconv.Itoa(int(s)) + ")"
}

// Link is a reference from a span to another one, of any trace.
type Link struct {
	Ref
	Attributes        []Attribute
	Flags             uint32
	DroppedAttributes uint32
}

// Resource is what produced a span. One resource is shared by all its spans and never changed.
type Resource struct {
	HostID     string // host.id
	HostName   string // host.name
	InstanceID string // service.instance.id
	Attributes []Attribute
}

// Span is one span as it was read.
type Span struct {
	Trace  TraceID
	ID     SpanID
	Parent SpanID // zero for a span that names no parent
	Start  int64  // nanoseconds since the Unix epoch
	End    int64  // nanoseconds since the Unix epoch
	Kind   Kind
	Status Status

	Service       string // service.name of the resource
	Name          string
	Scope         string // name of the instrumentation scope
	StatusMessage string
	Attributes    []Attribute
	Links         []Link
	Resource      *Resource // nil when nothing is known

	TraceState        string // tracestate of W3C Trace Context, as it was sent
	Flags             uint32 // OTLP span flags: W3C trace flags, 0x100 and 0x200 tell whether the parent was remote
	DroppedAttributes uint32
	DroppedEvents     uint32
	DroppedLinks      uint32

	Source   string   // where it was read: file:line
	Warnings []string // from the system that stored it
}

// Ref returns the ids by which a set finds the span.
func (s *Span) Ref() Ref { return Ref{s.Trace, s.ID} }

// Attr returns the attribute with that key. It looks through the list: O(attributes).
func (s *Span) Attr(key string) (Value, bool) {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			return s.Attributes[i].Value, true
		}
	}
	return Value{}, false
}
