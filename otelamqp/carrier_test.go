package otelamqp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/otelamqp"
)

const (
	goodTraceparent  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	staleTraceparent = "00-11111111111111111111111111111111-1111111111111111-01"
)

// Headers as other clients write them: bytes, lists, numbers, names in any case.
func TestTableCarrier(t *testing.T) {
	table := amqp.Table{
		"text": "1", "bytes": []byte{0xff, 0}, "number": int64(7), "time": time.Time{}, "nothing": nil, "table": amqp.Table{"a": "b"},
		"list": []any{"1", int32(2), []byte("3")}, "numbers": []any{int32(1)}, "Case": "upper", "case": "lower", "OTHER": "b", "Other": "a",
	}
	c := otelamqp.TableCarrier{Table: table}
	for key, want := range map[string][]string{
		"text": {"1"}, "TEXT": {"1"}, "bytes": {"\xff\x00"}, "number": nil, "time": nil, "nothing": nil, "table": nil, "missing": nil,
		"list": {"1", "3"}, "numbers": nil, "case": {"lower"}, "Case": {"upper"}, "CASE": {"upper"}, "other": {"b"},
	} {
		if got := c.Values(key); !slices.Equal(got, want) {
			t.Errorf("values of %s are %q, want %q", key, got, want)
		}
		last := ""
		if len(want) > 0 {
			last = want[len(want)-1]
		}
		if got := c.Get(key); got != last {
			t.Errorf("%s is %q, want %q", key, got, last)
		}
	}
	if got := fmt.Sprint(c.Keys()); got != "[Case OTHER Other bytes case list nothing number numbers table text time]" {
		t.Errorf("keys %s", got)
	}
	c.Set("case", "one")
	if table["case"] != "one" || table["Case"] != nil {
		t.Errorf("after Set: %v", table)
	}
	c.Delete("other")
	if c.Get("other") != "" {
		t.Errorf("after Delete: %v", table)
	}
	none := otelamqp.TableCarrier{}
	none.Set("a", "b")
	none.Delete("a")
	if none.Get("a") != "" || none.Values("a") != nil || len(none.Keys()) != 0 {
		t.Error("a nil table has headers")
	}
}

// processed returns the process span of a message with these headers.
func (b *bubble) processed(headers amqp.Table) sdktrace.ReadOnlySpan {
	b.Helper()
	_, process := b.in.StartProcess(b.Context(), amqp.Delivery{Exchange: "orders", RoutingKey: "placed", Headers: headers})
	process.End(nil)
	return b.spans.Ended()[len(b.spans.Ended())-1]
}

// A broken or binary context is refused; the message is handled all the same, in a
// new trace.
func TestForeignHeaders(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for name, value := range map[string]any{
			"binary": []byte{0, 1, 2, 0xff}, "invalid UTF-8": "\xff\xfe", "nothing": nil, "empty": "", "number": int32(1), "huge": strings.Repeat("0", 1<<20),
		} {
			if s := b.processed(amqp.Table{"traceparent": value, "baggage": value}); s.Parent().IsValid() || len(s.Links()) != 0 {
				t.Errorf("%s: the process span has a parent or a link", name)
			}
		}
		for name, headers := range map[string]amqp.Table{
			"bytes":      {"traceparent": []byte(goodTraceparent)},
			"mixed case": {"TraceParent": goodTraceparent},
			"a list":     {"traceparent": []any{staleTraceparent, goodTraceparent}},
			"two cases":  {"traceparent": goodTraceparent, "Traceparent": staleTraceparent},
		} {
			s := b.processed(headers)
			if s.Parent().SpanID().String() != "b7ad6b7169203331" {
				t.Errorf("%s: the traceparent is not read", name)
			}
			want := ""
			if strings.HasPrefix(name, "a list") || strings.HasPrefix(name, "two") {
				want = "2"
			}
			if got := attributeOf(s.Attributes(), "otelamqp.traceparent.count"); got != want {
				t.Errorf("%s: otelamqp.traceparent.count is %q, want %q", name, got, want)
			}
		}
	})
}

// FuzzTableCarrier: whatever the headers, a message is processed and sent on with
// one context, headers that are not ours stay as they are, and no text is invalid.
func FuzzTableCarrier(f *testing.F) {
	f.Add("traceparent", []byte(goodTraceparent), "baggage", []byte("a=1"), byte(0))
	f.Add("Traceparent", []byte(nil), "tracestate", []byte{0xff}, byte(1))
	f.Add("traceparent", []byte(goodTraceparent), "TRACEPARENT", []byte(staleTraceparent), byte(2))
	broker, ch, in := plainFixture(f)
	defer broker.Close()
	f.Fuzz(func(t *testing.T, k1 string, v1 []byte, k2 string, v2 []byte, kind byte) {
		value := map[byte]any{0: string(v1), 1: v1, 2: []any{string(v1), v2, int64(1)}, 3: int64(len(v1))}[kind%4]
		headers := amqp.Table{k1: value, k2: v2, "own": string(v1)}
		c := otelamqp.TableCarrier{Table: headers}
		for _, key := range c.Keys() {
			if values := c.Values(key); len(values) > 0 && c.Get(key) != values[len(values)-1] {
				t.Errorf("%q is %q and has the values %q", key, c.Get(key), values)
			}
		}
		before := fmt.Sprint(headers)
		ctx, process := in.StartProcess(t.Context(), amqp.Delivery{Headers: headers, Exchange: k1, RoutingKey: k2, MessageId: string(v2)})
		process.End(nil)
		if fmt.Sprint(headers) != before {
			t.Errorf("the old message's headers are %v now, were %s", headers, before)
		}
		if len(k1) > 255 || len(k2) > 255 {
			return // AMQP has no longer names
		}
		// The client refuses what it cannot write; it must not panic.
		_ = ch.PublishConfirmed(ctx, "", "queue", false, amqp.Publishing{Headers: headers, MessageId: "m"})
		if ch.IsClosed() {
			t.Fatal("the channel is closed")
		}
		d, ok, err := ch.Get("queue", true)
		if err != nil || !ok {
			t.Fatalf("got %t, %v", ok, err)
		}
		if got := (otelamqp.TableCarrier{Table: d.Headers}).Values("traceparent"); len(got) != 1 || !strings.Contains(got[0], process.Span().SpanContext().TraceID().String()) {
			t.Errorf("traceparents %q of the new message", got)
		}
		if own := d.Headers["own"]; !strings.EqualFold(k1, "own") && !strings.EqualFold(k2, "own") && own != string(v1) {
			t.Errorf("own header is %q, want %q", own, v1)
		}
	})
}
