//go:build stack

package interop

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"tracelab/journey"
)

func TestKafkaJS(t *testing.T) {
	for _, w := range kafkaJS() {
		t.Run(w.way, func(t *testing.T) {
			topic, env := newTopic(t)
			judgeOrder(t, placeOrder(t, node(t, "shop.js").with(env...), node(t, "billing.js", w.way).with(env...)), topic, w)
		})
	}
}

func TestAIOKafka(t *testing.T) {
	for _, w := range aioKafka() {
		t.Run(w.way, func(t *testing.T) {
			topic, env := newTopic(t)
			judgeOrder(t, placeOrder(t, python(t, "kafka_shop.py").with(env...), python(t, "kafka_billing.py", w.way).with(env...)), topic, w)
		})
	}
}

func TestConfluentKafka(t *testing.T) {
	for _, w := range confluentKafka() {
		t.Run(w.way, func(t *testing.T) {
			topic, env := newTopic(t)
			judgeOrder(t, placeOrder(t, python(t, "confluent_shop.py").with(env...), python(t, "confluent_billing.py", w.way).with(env...)), topic, w)
		})
	}
}

func TestPika(t *testing.T) {
	url := startRabbitMQ(t)
	for _, w := range pika() {
		t.Run(w.way, func(t *testing.T) {
			env := "AMQP_URL=" + url
			judgeOrder(t, placeOrder(t, python(t, "rabbitmq_shop.py").with(env), python(t, "rabbitmq_billing.py", w.way).with(env)), "orders", w)
		})
	}
}

func TestOtelkgo(t *testing.T) {
	topic, env := newTopic(t)
	self := func(name string) program { return program{[]string{os.Args[0]}, append(env, "INTEROP_SERVICE="+name)} }
	judgeOrder(t, placeOrder(t, self("shop"), self("billing")), topic, wanted{relation: "parent and link", consumer: "process orders"})
}

func TestOtelamqp(t *testing.T) {
	url := startRabbitMQ(t)
	self := func(name string) program {
		return program{[]string{os.Args[0]}, []string{"AMQP_URL=" + url, "INTEROP_SERVICE=" + name}}
	}
	judgeOrder(t, placeOrder(t, self("shop"), self("billing")), "orders", wanted{relation: "parent and link", consumer: "process orders"})
}

// judgeOrder judges the spans of an order, and holds its times against what the programs measured.
func judgeOrder(t *testing.T, o order, topic string, want wanted) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			tree, err := exec.Command(tracelab, "journey", o.file).CombinedOutput() // t.Context has ended
			t.Logf("%s%v", tree, err)
		}
	})
	made := o.handling.Sub(o.acknowledged)
	if made < queued {
		t.Errorf("the test made a queue wait of %v, want %v at least", made, queued)
	}
	judgeTimes(t, judge(t, read(t, o.file), topic, made, want), o)
}

// judgeTimes holds caller wait, completion and tail against what the programs measured.
func judgeTimes(t *testing.T, j *journey.Journey, o order) {
	t.Helper()
	wait, _ := j.CallerWait()
	near(t, "caller wait", wait, o.acknowledged.Sub(o.request))
	near(t, "completion", j.Completion(), o.charged.Sub(o.request))
	tail, _ := j.Tail()
	near(t, "tail", tail, o.charged.Sub(o.acknowledged))
}

// near allows a fifth, as for the queue wait, or what a busy machine takes between the end of a span and the next line of a program.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	slack := max(want/5, 30*time.Millisecond)
	if got < want-slack || got > want+slack {
		t.Errorf("%s %v, want %v ± %v", what, got, want, slack)
	}
}
