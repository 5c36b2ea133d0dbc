package carrier

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"

	"tracelab/internal/text"
)

// DeadLetters is what the name of a topic's dead letters ends with.
const DeadLetters = ".dlq"

// Headers of a dead letter. All that the message had, its first traceparent among it, is kept beside them.
const (
	HeaderOriginTopic     = "tracelab-origin-topic"     // without the prefix
	HeaderOriginPartition = "tracelab-origin-partition" // where the broker has partitions
	HeaderOriginOffset    = "tracelab-origin-offset"    // where it has offsets
	HeaderOriginQueue     = "tracelab-origin-queue"     // where it has queues, without the prefix
	HeaderConsumer        = "tracelab-consumer"         // the service that gave the message up
	HeaderError           = "tracelab-error"            // at most 1024 bytes
	HeaderErrorType       = "tracelab-error-type"       // the reason, in one word
	HeaderAttempts        = "tracelab-attempts"         // that were made, in all
	HeaderLastAttempt     = "tracelab-last-attempt"     // the traceparent of the last one
	// HeaderRedriven is on a message that came back from the dead letters: how often it did.
	HeaderRedriven = "tracelab-redriven"
)

// IsDeathHeader tells whether a header is one that a message gets with the dead letters: there it takes the place of an older one.
func IsDeathHeader(name string) bool {
	switch name {
	case HeaderConsumer, HeaderAttempts, HeaderLastAttempt:
		return true
	}
	return IsOriginHeader(name)
}

// IsOriginHeader tells whether a header is one that a message loses when it comes back from the dead letters.
func IsOriginHeader(name string) bool {
	switch name {
	case HeaderOriginTopic, HeaderOriginPartition, HeaderOriginOffset, HeaderOriginQueue, HeaderError, HeaderErrorType:
		return true
	}
	return false
}

// Death is how a message came to the dead letters.
type Death struct {
	Topic    string // without the prefix
	Consumer string
	Attempts int
	Cause    error
}

// Headers are those of the dead letter, but for its place of origin. The context has the span of the last attempt.
func (d Death) Headers(ctx context.Context) [][2]string {
	reason := Internal
	if failed, ok := errors.AsType[*Failed](d.Cause); ok {
		reason = failed.Reason()
	}
	headers := [][2]string{
		{HeaderOriginTopic, d.Topic}, {HeaderConsumer, d.Consumer}, {HeaderAttempts, strconv.Itoa(d.Attempts)},
		{HeaderErrorType, reason}, {HeaderError, text.Cut(text.Clean(d.Cause.Error()), maxDetail)},
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		headers = append(headers, [2]string{HeaderLastAttempt, fmt.Sprintf("00-%s-%s-%s", span.TraceID(), span.SpanID(), span.TraceFlags())})
	}
	return headers
}

// History is what a message that came back from the dead letters says of its attempts before.
type History struct {
	Attempts int               // that were made before it came back; 0 for a message that was never there
	Last     trace.SpanContext // of the last one
	Redriven int
	Consumer string // whose it is: other services that read its topic have done their part
}

// mostAttempts is the most that a header may say: it comes from outside.
const mostAttempts = 1_000_000

// HistoryOf reads the headers of a message, which get finds. Nothing of a message that was not redriven is believed.
func HistoryOf(get func(name string) string) History {
	h := History{Redriven: countOf(get(HeaderRedriven))}
	if h.Redriven == 0 {
		return h
	}
	h.Attempts, h.Last, h.Consumer = countOf(get(HeaderAttempts)), spanOf(get(HeaderLastAttempt)), get(HeaderConsumer)
	return h
}

func countOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, mostAttempts)
}

// spanOf reads a traceparent of version 00.
func spanOf(header string) trace.SpanContext {
	var none trace.SpanContext
	if len(header) != 55 || header[:3] != "00-" || header[35] != '-' || header[52] != '-' || !utf8.ValidString(header) {
		return none
	}
	traceID, err := trace.TraceIDFromHex(header[3:35])
	if err != nil {
		return none
	}
	spanID, err := trace.SpanIDFromHex(header[36:52])
	if err != nil {
		return none
	}
	flags, err := strconv.ParseUint(header[53:], 16, 8)
	if err != nil {
		return none
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(flags), Remote: true})
}

// AgainError says that a message whose handling failed is to be handled again.
type AgainError struct {
	After time.Duration
	Err   error
}

// Error is that of the attempt.
func (e *AgainError) Error() string { return e.Err.Error() }

// Unwrap is the error of the attempt.
func (e *AgainError) Unwrap() error { return e.Err }

// DeadError says that a message is to be put with the dead letters.
type DeadError struct {
	Err error
	// Then is done when the message is there: it tells whoever waits that nothing more will come.
	Then func(ctx context.Context) error
}

// Error is that of the last attempt.
func (e *DeadError) Error() string { return e.Err.Error() }

// Unwrap is the error of the last attempt.
func (e *DeadError) Unwrap() error { return e.Err }

// Redrive says which dead letters are to go back to where they came from.
type Redrive struct {
	Config BrokerConfig // Addresses, Prefix, Dial, Provider and Relation; Service is the name under which it is done
	Topic  string       // without prefix, and without .dlq
	Most   int          // messages; those that come to the dead letters meanwhile are left there
}

// SentBack is what became of dead letters.
type SentBack struct {
	Sent    int // back to where they came from
	Cut     int // of these, without headers that the client cannot read
	Skipped int // batches that are damaged, or decompress to more than a service takes: nobody can read what is in them
}

// Letter is what a dead letter says of itself.
type Letter struct {
	Topic, Partition, Offset string // where it comes from
	Consumer                 string // the service that gave it up
	Attempts                 int    // that were made, in all
	Reason, Error            string
	Created                  trace.SpanContext // the context in which it was sent first
}

// LetterOf reads the headers of a dead letter, which get finds.
func LetterOf(get func(name string) string) Letter {
	return Letter{
		Topic: get(HeaderOriginTopic), Partition: get(HeaderOriginPartition), Offset: get(HeaderOriginOffset), Consumer: get(HeaderConsumer),
		Attempts: countOf(get(HeaderAttempts)), Reason: get(HeaderErrorType), Error: get(HeaderError), Created: spanOf(get("traceparent")),
	}
}
