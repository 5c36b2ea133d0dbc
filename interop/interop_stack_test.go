//go:build stack

package interop

import (
	"os"
	"testing"
)

// M10 and M12 say what kafkajs does not know of itself: its group, and the offset on a send. M11 says that it leaves the partition of a send to
// the client, and S09 that a parent without a link ties its spans.
func TestKafkaJS(t *testing.T) {
	for _, w := range []wanted{
		{way: "eachMessage", relation: "parent", consumer: "process orders", findings: []string{
			"M10 billing: process orders",
			"M11 shop: send orders",
			"M12 shop: send orders",
			"S09 billing: process orders",
		}},
	} {
		t.Run(w.way, func(t *testing.T) {
			topic, env := newTopic(t)
			judge(t, placeOrder(t, node(t, "shop.js").with(env...), node(t, "billing.js", w.way).with(env...)), topic, w)
		})
	}
}

// aiokafka names spans the other way round (M04), makes receive spans of kind CONSUMER (M05), says publish for send (M03), and has an old name
// of the offset (M00). Its send span ends before the record is sent, so no offset is on it (M12).
func TestAIOKafka(t *testing.T) {
	each := []string{
		"M00 billing: orders receive",
		"M03 shop: orders send",
		"M04 billing: orders receive", "M04 shop: orders send",
		"M05 billing: orders receive",
		"M12 shop: orders send",
		"S09 billing: orders receive",
	}
	for _, w := range []wanted{
		{way: "getone", relation: "parent", consumer: "orders receive", findings: each},
		// Two spans more, of the poll and of its topic: the first names no destination, and neither links to the order.
		{way: "getmany", relation: "parent", consumer: "orders receive", findings: append([]string{
			"M04 billing: orders receive", "M04 billing: orders receive",
			"M05 billing: orders receive", "M05 billing: orders receive",
			"M06 billing: orders receive",
			"S08 billing: orders receive", "S08 billing: orders receive",
		}, each...)},
	} {
		t.Run(w.way, func(t *testing.T) {
			topic, env := newTopic(t)
			judge(t, placeOrder(t, python(t, "kafka_shop.py").with(env...), python(t, "kafka_billing.py", w.way).with(env...)), topic, w)
		})
	}
}

// pika's names are of the conventions before 1.17 (M00). A blocking channel has two send spans for a message, one in the other.
func TestPika(t *testing.T) {
	url := startRabbitMQ(t)
	findings := []string{
		"M00 billing: orders receive", "M00 shop: orders send", "M00 shop: orders send",
		"S09 billing: orders receive",
	}
	for _, w := range []wanted{
		{way: "callback", relation: "parent", consumer: "orders receive", findings: findings},
		{way: "generator", relation: "parent", consumer: "orders receive", findings: findings},
	} {
		t.Run(w.way, func(t *testing.T) {
			env := "AMQP_URL=" + url
			judge(t, placeOrder(t, python(t, "rabbitmq_shop.py").with(env), python(t, "rabbitmq_billing.py", w.way).with(env)), "orders", w)
		})
	}
}

func TestOtelkgo(t *testing.T) {
	topic, env := newTopic(t)
	self := func(name string) program { return program{[]string{os.Args[0]}, append(env, "INTEROP_SERVICE="+name)} }
	judge(t, placeOrder(t, self("shop"), self("billing")), topic, wanted{relation: "parent and link", consumer: "process orders"})
}
