package doctor_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"tracelab/doctor"
	"tracelab/internal/testkit"
	"tracelab/otelamqp/amqptest"
	"tracelab/services"
)

// rabbitmq is a broker in this process, and its address.
func rabbitmq(t *testing.T) (*amqptest.Broker, string) {
	t.Helper()
	broker := &amqptest.Broker{}
	t.Cleanup(broker.Close)
	address, err := broker.Listen()
	if err != nil {
		t.Fatal(err)
	}
	return broker, address
}

// TestOrdersOverRabbitMQ follows an order of the form rabbitmq, and its trace, and then breaks what it needs.
func TestOrdersOverRabbitMQ(t *testing.T) {
	t.Parallel()
	broker, address := rabbitmq(t)
	l := startLab(t, address)
	report := examine(t, l.config)
	if report.FirstBroken != nil {
		t.Fatalf("nothing is broken:\n%s", lines(report))
	}
	var names []string
	for _, c := range report.Checks {
		if strings.HasSuffix(c.Name, "rabbitmq") || strings.HasPrefix(c.Name, "rabbitmq") {
			names = append(names, c.Name)
		}
		if c.Name == "trace-rabbitmq" && (c.Status != doctor.OK || !strings.Contains(c.Seen, "analytics, doctor, gateway, inventory, notification, orders, payment, shipping")) {
			t.Errorf("%+v: want the spans of all services", c)
		}
	}
	if want := []string{"rabbitmq", "rabbitmq-queues", "rabbitmq-lag", "order-rabbitmq", "trace-rabbitmq"}; !slices.Equal(names, want) {
		t.Errorf("checks %q, want %q", names, want)
	}

	elsewhere := l.config
	elsewhere.RabbitMQ = []string{nobody(t)}
	wrong := l.config
	wrong.RabbitMQ = []string{strings.TrimPrefix(l.config.Gateway, "http://")}
	prefixed := l.config
	prefixed.Prefix, prefixed.Kafka = "run7.", nil
	var all sync.WaitGroup
	for _, c := range []struct {
		name       string
		config     doctor.Config
		want, seen string
	}{
		{"another port", elsewhere, "rabbitmq", "connection refused"},
		{"a port that speaks something else", wrong, "rabbitmq", "HTTP/1 is spoken there"},
		{"another prefix", prefixed, "rabbitmq-queues", "exchange run7.tracelab"},
	} {
		all.Go(func() { t.Run(c.name, func(t *testing.T) { brokenFirst(t, c.name, c.config, c.want, c.seen) }) }) // most of it is waiting
	}
	all.Wait()
	broker.Close()
	brokenFirst(t, "rabbitmq stopped", l.config, "rabbitmq", address)
}

func brokenFirst(t *testing.T, name string, config doctor.Config, want, seen string) {
	t.Helper()
	config.Prometheus, config.Grafana, config.Pyroscope = "", "", ""
	report := examine(t, config)
	if report.FirstBroken == nil || *report.FirstBroken != want {
		t.Errorf("%s: want %s broken first:\n%s", name, want, lines(report))
		return
	}
	for _, c := range report.Checks {
		if c.Name == want && (!strings.Contains(c.Seen, seen) || c.Fix == "") {
			t.Errorf("%s: seen %q, to do %q, want %q", name, c.Seen, c.Fix, seen)
		}
	}
}

// TestMessagesOverRabbitMQLoseTheContext at one service.
func TestMessagesOverRabbitMQLoseTheContext(t *testing.T) {
	testkit.Unraced(t, "TestOrdersOverRabbitMQ")
	t.Parallel()
	_, address := rabbitmq(t)
	l := startFlow(t, ownFlow(t), map[string]odd{"sieve": {propagator: forgetful{services.Propagator(discard), "otelamqp"}}}, address)
	brokenFirst(t, "sieve forgets", l.config, "trace-posted", "from stone to sieve by a message on corn.ground")
}

// TestAServiceWithoutRabbitMQ leaves its queue without a consumer.
func TestAServiceWithoutRabbitMQ(t *testing.T) {
	testkit.Unraced(t, "TestOrdersOverRabbitMQ")
	t.Parallel()
	_, address := rabbitmq(t)
	l := startFlow(t, ownFlow(t), map[string]odd{"sieve": {noRabbitMQ: true}}, address)
	brokenFirst(t, "sieve has no --rabbitmq", l.config, "rabbitmq-queues", "queue sieve has no consumer")
}
