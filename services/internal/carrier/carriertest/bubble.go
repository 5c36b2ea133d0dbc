// Package carriertest has what the tests of all carriers share: virtual time with a virtual network, and a service's
// telemetry in memory.
package carriertest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kfake"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tracelab/internal/telemetry"
	"tracelab/tracecontext"
)

// Bubble is a test with a network and a service's telemetry in memory.
type Bubble struct {
	*testing.T
	ListenOn func(network, address string) (net.Listener, error)
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Spans    *tracetest.SpanRecorder
	Log      *Log
	Provider *telemetry.Provider
	Virtual  bool // in virtual time
}

// InBubble runs f in virtual time. The test fails when a goroutine is left.
func InBubble(t *testing.T, f func(b *Bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		b := New(t, network.Listen, network.DialContext)
		b.Virtual = true
		f(b)
	})
}

// New makes a bubble on a network, which may be a real one.
func New(t *testing.T, listen func(network, address string) (net.Listener, error), dial func(ctx context.Context, network, address string) (net.Conn, error)) *Bubble {
	t.Helper()
	b := &Bubble{T: t, ListenOn: listen, Dial: dial, Spans: tracetest.NewSpanRecorder(), Log: &Log{}}
	var err error
	b.Provider, err = telemetry.Config{
		Processors: []sdktrace.SpanProcessor{b.Spans}, Propagator: tracecontext.New(),
		Logs: slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelDebug}),
	}.New("test")
	b.Must(err)
	return b
}

// Must ends the test on an error.
func (b *Bubble) Must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// Listen listens on an address.
func (b *Bubble) Listen(address string) net.Listener {
	b.Helper()
	l, err := b.ListenOn("tcp", address)
	b.Must(err)
	return l
}

// Named returns the ended spans with a name.
func (b *Bubble) Named(name string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(b.Spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
}

// Attribute returns the text of one attribute of a span.
func Attribute(s sdktrace.ReadOnlySpan, key string) string {
	for _, kv := range s.Attributes() {
		if string(kv.Key) == key {
			return kv.Value.String()
		}
	}
	return ""
}

// Log is a log that a test reads while others write.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps a record.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Lines returns the lines that contain a text.
func (l *Log) Lines(with string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(strings.Split(l.text.String(), "\n"), func(line string) bool { return !strings.Contains(line, with) })
}
