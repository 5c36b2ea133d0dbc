package jaeger_test

import (
	"errors"
	"testing"

	"tracelab/journey/source"
	"tracelab/journey/source/jaeger"
)

func TestErrorsInWords(t *testing.T) {
	for _, c := range []struct {
		err  *jaeger.Error
		want string
	}{
		{&jaeger.Error{}, "Jaeger failed"},
		{&jaeger.Error{Kind: 99}, "Jaeger failed"},
		{&jaeger.Error{Err: errors.New("because")}, "Jaeger failed: because"},
		{&jaeger.Error{Kind: jaeger.Failed, Address: "a", Err: errors.New("\x1b[31mred\n")}, `a: Jaeger failed: \x1b[31mred\n`},
		{&jaeger.Error{Kind: jaeger.Failed, Address: "a", Err: errors.New("a: because")}, "a: Jaeger failed: because"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%#v says %q, want %q", c.err, got, c.want)
		}
		if errors.Unwrap(c.err) != c.err.Err || errors.Is(c.err, source.ErrNotStored) { //nolint:errorlint // the very error
			t.Errorf("%#v unwraps to %v", c.err, errors.Unwrap(c.err))
		}
	}
	for _, k := range []jaeger.Kind{-1, jaeger.Failed, jaeger.Damaged, 99} {
		if k.String() == "" {
			t.Errorf("kind %d has no words", k)
		}
	}
}
