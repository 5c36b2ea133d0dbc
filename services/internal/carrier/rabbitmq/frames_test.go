package rabbitmq

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"testing/iotest"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"
)

// nested is a table in tables, one in another, or in lists.
func nested(levels int, inLists bool) amqp.Table {
	table := amqp.Table{}
	for range levels {
		if inLists {
			table = amqp.Table{"t": []any{table}}
		} else {
			table = amqp.Table{"t": table}
		}
	}
	return table
}

// TestHeadersThatTheClientCannotRead cost themselves alone: the message is handled with its other headers, once, and so are those behind it. The client
// by itself ends each connection on which such a message comes.
func TestHeadersThatTheClientCannotRead(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var got handled
		r := b.open(func(_ context.Context, _ string, e *orderpb.Event) error { got.add(e); return nil })
		var want []string
		for name, table := range map[string]amqp.Table{
			"none": nil, "30": nested(30, false), "201": nested(201, false), "5000": nested(5000, false), "lists": nested(40, true), "many": {"l": slices.Repeat([]any{nil}, 9000)},
		} {
			for _, header := range []string{"traceparent", "x-death", "x"} {
				id := name + " " + header
				want = append(want, id)
				b.publish(amqp.Publishing{Headers: amqp.Table{header: table, "a": "1", "z": int64(2)}, ContentType: "application/json", CorrelationId: "key", Body: []byte(event(id))})
			}
		}
		b.await("all messages", func() bool { return len(got.all()) >= len(want) })
		slices.Sort(want)
		if ids := slices.Sorted(slices.Values(got.all())); !slices.Equal(ids, want) {
			t.Errorf("handled %q, want %q", ids, want)
		}
		if n := len(b.Log.Lines("headers of a message are left out")); n != 1 || len(b.Log.Lines("session ended")) > 0 {
			t.Errorf("%d lines of left out headers, and sessions ended: %q", n, b.Log.Lines("session ended"))
		}
		b.drainAndClose(r)
	})
}

// TestRedriveSaysWhichMessagesLostHeaders that its client cannot read: those alone that went back.
func TestRedriveSaysWhichMessagesLostHeaders(t *testing.T) {
	inBubble(t, func(b *bubble) {
		r := b.open(func(context.Context, string, *orderpb.Event) error { return nil })
		ch, done := b.channel()
		for _, headers := range []amqp.Table{{"a": "1"}, {"x": nested(201, false)}, {"x": nested(40, true)}} {
			b.Must(ch.PublishWithContext(b.Context(), b.prefix+"tracelab.dead", "orders", true, false, amqp.Publishing{Headers: headers, Body: []byte(event("e"))}))
		}
		b.await("dead letters", func() bool { return b.depth("tracelab.dead") == 3 })
		done()
		config := carrier.BrokerConfig{Service: "redrive", Addresses: []string{b.address}, Prefix: b.prefix, Dial: b.Dial, Provider: b.Provider, Relation: both}
		for topic, want := range map[string]carrier.SentBack{"answers": {}, "orders": {Sent: 3, Cut: 2}} {
			got, err := Redrive(b.Context(), carrier.Redrive{Config: config, Topic: topic, Most: 10})
			if err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", topic, got, err, want)
			}
		}
		b.drainAndClose(r)
	})
}

// in are the bytes that a connection has.
type in struct {
	net.Conn
	io.Reader
}

func (c in) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// FuzzReadable reads whatever comes, in pieces of any size, to its end: nothing is lost of what is no frame of headers.
func FuzzReadable(f *testing.F) {
	f.Add([]byte("AMQP\x00\x00\x09\x01"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x02ab\xce\x08\x00\x00\x00\x00\x00\x00\xce"))
	f.Add([]byte("\x02\x00\x01\x00\x00\x00\x19\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00\x07\x01xF\x00\x00\x00\x00\xce"))
	f.Add([]byte("\x02\x00\x01\x00\x00\x00\x19\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x00\x07\x01xz\x00\x00\x00\x00\xce"))
	f.Fuzz(func(t *testing.T, text []byte) {
		leftOut := 0
		out, err := io.ReadAll(newReadable(in{Reader: bytes.NewReader(text)}, func() { leftOut++ }))
		byByte, err2 := io.ReadAll(iotest.OneByteReader(newReadable(in{Reader: iotest.OneByteReader(bytes.NewReader(text))}, func() {})))
		if !bytes.Equal(out, byByte) || (err == nil) != (err2 == nil) {
			t.Fatalf("%q, %v at once, %q, %v by bytes", out, err, byByte, err2)
		}
		if leftOut == 0 && !bytes.HasPrefix(text, out) {
			t.Fatalf("%q became %q", text, out)
		}
	})
}
