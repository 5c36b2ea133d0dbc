package amqptest

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, b *Broker) *amqp.Channel {
	t.Helper()
	conn, err := b.Dial(amqp.Config{})
	check(t, err)
	ch, err := conn.Channel()
	check(t, err)
	return ch
}

func TestTopicMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, key string
		want         bool
	}{
		{"a.b", "a.b", true}, {"a.b", "a.c", false}, {"a.*", "a.b", true}, {"a.*", "a.b.c", false}, {"a.*", "a", false}, {"#", "", true},
		{"#", "a.b.c", true}, {"a.#", "a", true}, {"a.#.c", "a.x.y.c", true}, {"a.#.c", "a.c", true}, {"a.#.c", "a.b", false}, {"", "", true},
	} {
		if got := topicMatch(strings.Split(c.pattern, "."), strings.Split(c.key, ".")); got != c.want {
			t.Errorf("%q takes %q: %t", c.pattern, c.key, got)
		}
	}
}

// A client on loopback, with a body of several frames.
func TestListen(t *testing.T) {
	var b Broker
	defer b.Close()
	address, err := b.Listen()
	check(t, err)
	conn, err := amqp.Dial("amqp://guest:guest@" + address + "/")
	check(t, err)
	defer func() { check(t, conn.Close()) }()
	ch, err := conn.Channel()
	check(t, err)
	_, err = ch.QueueDeclare("q", false, false, false, false, nil)
	check(t, err)
	body := bytes.Repeat([]byte("x"), 300_000)
	check(t, ch.Publish("", "q", false, false, amqp.Publishing{Headers: amqp.Table{"a": "b"}, Body: body}))
	d, ok, err := ch.Get("q", true)
	if err != nil || !ok || !bytes.Equal(d.Body, body) || d.Headers["a"] != "b" {
		t.Errorf("got %t, %v, %d bytes, %v", ok, err, len(d.Body), d.Headers)
	}
}

// No more messages than the prefetch are out; what is not acknowledged comes
// again, in its old order and marked.
func TestPrefetchAndRedelivery(t *testing.T) {
	var b Broker
	defer b.Close()
	ch := open(t, &b)
	_, err := ch.QueueDeclare("q", false, false, false, false, nil)
	check(t, err)
	for _, text := range []string{"1", "2", "3", "4"} {
		check(t, ch.Publish("", "q", false, false, amqp.Publishing{Body: []byte(text)}))
	}
	other := open(t, &b)
	check(t, other.Qos(3, 0, false))
	deliveries, err := other.Consume("q", "", false, false, false, false, nil)
	check(t, err)
	got := ""
	for range 3 {
		got += string((<-deliveries).Body)
	}
	if ready, unacked := b.Depth("q"); got != "123" || ready != 1 || unacked != 3 {
		t.Errorf("delivered %q, %d ready, %d out", got, ready, unacked)
	}
	check(t, other.Close())
	got = ""
	for range 4 {
		d, ok, err := ch.Get("q", true)
		if err != nil || !ok || d.Redelivered != (string(d.Body) != "4") {
			t.Errorf("%q: %t, %v, redelivered %t", d.Body, ok, err, d.Redelivered)
		}
		got += string(d.Body)
	}
	if got != "1234" {
		t.Errorf("order %q, want 1234", got)
	}
}

// What RabbitMQ closes a channel for.
func TestChannelErrors(t *testing.T) {
	for want, wrong := range map[string]func(*amqp.Channel) error{
		"no exchange": func(ch *amqp.Channel) error {
			return ch.QueueBind("q", "k", "missing", false, nil)
		},
		"no queue": func(ch *amqp.Channel) error {
			_, err := ch.Consume("missing", "", false, false, false, false, nil)
			return err
		},
		"is of type topic": func(ch *amqp.Channel) error {
			check(t, ch.ExchangeDeclare("e", "topic", false, false, false, false, nil))
			return ch.ExchangeDeclare("e", "fanout", false, false, false, false, nil)
		},
		"no queue 'gone'": func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclarePassive("gone", false, false, false, false, nil)
			return err
		},
	} {
		var b Broker
		if err := wrong(open(t, &b)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		b.Close()
	}
}

func TestClosedBroker(t *testing.T) {
	var b Broker
	b.Close()
	if _, err := b.Dial(amqp.Config{}); err == nil {
		t.Error("a closed broker serves")
	}
}

// FuzzFrames: whatever a client sends, the broker goes on.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("AMQP\x00\x00\x09\x01\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce"))
	f.Add([]byte("AMQP\x00\x00\x09\x01\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce\x01\x00\x01\x00\x00\x00\x08\x00\x3c\x00\x28\x00\x00\x00\x00\xce\x02\x00\x01\x00\x00\x00\x02\x00\x3c\xce"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Broker
		client, server := net.Pipe()
		b.serve(server)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_, _ = client.Write(data)
		_ = client.Close()
		b.Close()
	})
}
