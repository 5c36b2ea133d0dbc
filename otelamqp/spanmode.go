package otelamqp

import "fmt"

// SpanMode says which acknowledgements get a span. Metrics count them all.
type SpanMode uint8

const (
	// SpanAlways makes a span each time. It is the default.
	SpanAlways SpanMode = iota
	// SpanOnError makes a span for those that failed.
	SpanOnError
	// SpanNever makes none.
	SpanNever
)

var spanModeNames = [...]string{SpanAlways: "always", SpanOnError: "on error", SpanNever: "never"}

// String returns always, on error or never.
func (m SpanMode) String() string {
	if int(m) < len(spanModeNames) {
		return spanModeNames[m]
	}
	return fmt.Sprintf("span mode(%d)", uint8(m))
}

// wants reports whether an operation that came to err gets a span.
func (m SpanMode) wants(err error) bool {
	return m == SpanAlways || m == SpanOnError && err != nil
}

// check returns an error that names the option when m is not known.
func (m SpanMode) check(option string) error {
	if int(m) < len(spanModeNames) {
		return nil
	}
	return fmt.Errorf("otelamqp: %s(%s): use SpanAlways, SpanOnError or SpanNever", option, m)
}
