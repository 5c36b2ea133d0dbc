package lab_test

import (
	"strings"
	"testing"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestWhatCanBeDoneToABroker and what not, in words, before anything is started: a broker that the lab did not start is not ended by it, the way to it
// can be disturbed, and what its messages cannot hold is refused.
func TestWhatCanBeDoneToABroker(t *testing.T) {
	nobody := []string{"127.0.0.1:1"}
	rabbit := func(change func(*lab.Config)) func(*lab.Config) {
		return func(c *lab.Config) { c.RabbitMQ, c.Forms = nobody, []services.Form{"rabbitmq"}; change(c) }
	}
	const away = "rabbitmq broker 127.0.0.1:1 cannot be reached" // nothing was refused, so the run begins
	for name, c := range map[string]struct {
		change func(*lab.Config)
		want   string
	}{
		"kill rabbitmq":    {rabbit(func(c *lab.Config) { c.Events = events(t, flows.Order(), "1s:kill:rabbitmq") }), "event 1s:kill:rabbitmq: the lab did not start the RabbitMQ at --rabbitmq, so it does not end it: use its own supervisor (task rabbitmq)"},
		"stop no rabbitmq": {func(c *lab.Config) { c.Events = events(t, flows.Order(), "1s:stop:rabbitmq") }, "event 1s:stop:rabbitmq: this run has no RabbitMQ, and one at --rabbitmq is not the lab's to end"},
		"stop kafka":       {func(c *lab.Config) { c.Kafka, c.Events = nobody, events(t, flows.Order(), "1s:stop:kafka") }, "the lab did not start the Kafka at --kafka"},
		"cut no rabbitmq":  {func(c *lab.Config) { c.Links = linksOf(t, "orders>rabbitmq:cut") }, "link orders>rabbitmq:cut: this run has no RabbitMQ: name one with --rabbitmq"},
		"slow rabbitmq":    {rabbit(func(c *lab.Config) { c.Links = linksOf(t, "orders>rabbitmq:latency=1ms") }), away},
		"two parents": {rabbit(func(c *lab.Config) { c.Faults = faults("payment:double-traceparent@0.5") }),
			"fault payment:double-traceparent@0.5: in the form rabbitmq payment sends over RabbitMQ alone, where a message has each header once and so names one parent: leave out the form or the fault"},
		"two parents among other forms": {rabbit(func(c *lab.Config) {
			c.Forms, c.Faults = append(c.Forms, services.GRPC), faults("orders:double-traceparent")
		}), "in the form rabbitmq orders sends over RabbitMQ alone"},
		"two parents of the gateway": {rabbit(func(c *lab.Config) { c.Faults = faults("gateway:double-traceparent") }), away},
		"one parent dropped":         {rabbit(func(c *lab.Config) { c.Faults = faults("payment:drop-context") }), away},
	} {
		config := lab.Config{Out: t.TempDir()}
		c.change(&config)
		if _, err := lab.Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
