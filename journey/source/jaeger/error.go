package jaeger

import (
	"fmt"
	"strings"

	"tracelab/journey/format"
	"tracelab/journey/source"
)

// Kind is what went wrong with a question to Jaeger.
type Kind int

// The kinds of errors.
const (
	Failed    Kind = iota // Jaeger or its storage said that it could not answer
	Down                  // nothing listens there, or the name of the host is unknown
	Slow                  // no answer in time
	NotStored             // Jaeger answered that it does not have the trace
	NotJaeger             // something answered that is not the query API: a page, another server, a wrong path
	OldAPI                // a Jaeger that has no api/v3, only the API that Jaeger has removed since
	Refused               // it wants credentials, or refuses those that it got
	BadQuery              // Jaeger does not accept the question
	Damaged               // the answer broke off, is too long, or cannot be read
)

// String returns the kind in words.
func (k Kind) String() string {
	words := [...]string{"failed", "down", "slow", "not stored", "not Jaeger", "old API", "refused", "bad query", "damaged answer"}
	if k < 0 || int(k) >= len(words) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return words[k]
}

// Error says what went wrong with one question to Jaeger.
type Error struct {
	Kind    Kind
	Address string // what was asked: a URL, or an address with a method
	Err     error  // the cause; may be nil
}

// Error says what was asked, what went wrong, and what to do.
func (e *Error) Error() string {
	text := e.meaning()
	if e.Address != "" {
		text = e.Address + ": " + text
	}
	if e.Err != nil {
		text += ": " + strings.TrimPrefix(e.Err.Error(), e.Address+": ")
	}
	return format.Escape(text) // it may quote a server
}

func (e *Error) meaning() string {
	switch e.Kind {
	case Down:
		return "no Jaeger answers there; start it, or look at host and port"
	case Slow:
		return "Jaeger did not answer in time; ask for less, or wait longer"
	case NotStored:
		return "Jaeger does not have it; it may be sampled away, not yet stored, or stored elsewhere"
	case NotJaeger:
		return "that is not Jaeger's query API; look at host and port, and at the base path if it is behind a proxy"
	case OldAPI:
		return "this Jaeger has only the API that was removed in 2026; use Jaeger 2, or name trace ids"
	case Refused:
		return "Jaeger does not let us in; give credentials with the HTTP client"
	case BadQuery:
		return "Jaeger does not accept the query"
	case Damaged:
		return "the answer cannot be read"
	case Failed:
	}
	return "Jaeger failed"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports that an error of kind NotStored is source.ErrNotStored.
func (e *Error) Is(target error) bool { return target == source.ErrNotStored && e.Kind == NotStored }
