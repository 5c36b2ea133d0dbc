package lab

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
	"tracelab/services"
	"tracelab/services/flows"
)

// Event is what happens to a part of the lab at a time of the run.
type Event struct {
	At   time.Duration // from the first order's intended start
	Do   string        // stop, kill, pause or start
	Part string        // a service of the flow, one of its instances as SERVICE/N, or kafka
}

// The brokers' names among the parts.
const (
	kafkaPart    = "kafka"
	rabbitmqPart = "rabbitmq"
)

// EventKinds lists what can be done to a part, with what that is.
func EventKinds() []string {
	return []string{
		"stop: as SIGTERM: finish what was begun", "kill: as kill -9: connections reset, memory gone", "pause: as SIGSTOP: stand still",
		"start: come back at the same address, or go on",
	}
}

func eventNames() []string { return []string{"stop", "kill", "pause", "start"} }

// ParseEvent reads an event in the form TIME:WHAT:PART, such as 2s:kill:payment. The error names the part that is wrong and what would be right.
func ParseEvent(f *flows.Flow, text string) (Event, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return Event{}, fmt.Errorf("event %q: write it as TIME:WHAT:PART, such as 2s:kill:payment", text)
	}
	at, err := time.ParseDuration(fields[0])
	if err != nil || at < 0 || at > maxDuration {
		return Event{}, fmt.Errorf("event %q: time %q: use a time of the run such as 2s, up to %v", text, fields[0], maxDuration)
	}
	e := Event{At: at, Do: fields[1], Part: fields[2]}
	if !slices.Contains(eventNames(), e.Do) {
		return e, fmt.Errorf("event %q: %w", text, &vocabulary.UnknownError{What: "event", Word: e.Do, Known: eventNames()})
	}
	if parts := append(f.Services(), kafkaPart, rabbitmqPart); !slices.Contains(parts, e.service()) {
		return e, fmt.Errorf("event %q: %w", text, &vocabulary.UnknownError{What: "service or broker", Word: e.Part, Known: parts})
	}
	return e, nil
}

// service is the service of the part, or the broker.
func (e Event) service() string { service, _, _ := strings.Cut(e.Part, "/"); return service }

// instances lists what the part means: the instances of a service, one of them, or a broker.
func (c Config) instances(e Event) []string {
	if e.Part != e.service() {
		return []string{e.Part}
	}
	return services.Config{Instances: c.Instances}.InstancesOf(e.Part)
}

// String writes the event as ParseEvent reads it.
func (e Event) String() string { return e.At.String() + ":" + e.Do + ":" + e.Part }

// checkEvents finds what cannot be done, before anything is started.
func (c Config) checkEvents() error {
	over := c.placing() + c.Deadline
	if c.Clients > 0 { // how long its orders take is not known
		over = maxDuration
	}
	down, paused := map[string]bool{}, map[string]bool{}
	for _, e := range inTime(c.Events) {
		if err := c.canDo(e); err != nil {
			return fmt.Errorf("event %s: %w", e, err)
		}
		if e.At > over {
			return fmt.Errorf("event %s: the run is over by %v: use an earlier time, more %s, or a longer --deadline", e, over.Round(time.Millisecond), unitOf(c.Flow).many())
		}
		of := c.instances(e)
		all := func(are func(string) bool) bool {
			return !slices.ContainsFunc(of, func(s string) bool { return !are(s) })
		}
		switch {
		case e.Do != "start" && all(func(s string) bool { return down[s] }):
			return fmt.Errorf("event %s: %s is down by then: start it first", e, e.Part)
		case e.Do == "pause" && all(func(s string) bool { return down[s] || paused[s] }):
			return fmt.Errorf("event %s: %s is paused by then: start it first", e, e.Part)
		case e.Do == "start" && all(func(s string) bool { return !down[s] && !paused[s] }):
			return fmt.Errorf("event %s: %s runs by then: stop, kill or pause it first", e, e.Part)
		}
		for _, s := range of {
			paused[s] = e.Do == "pause" && !down[s]
			down[s] = e.Do == "stop" || e.Do == "kill" || down[s] && e.Do == "pause"
		}
	}
	return nil
}

// canDo tells why an event is out of the lab's reach, or nil.
func (c Config) canDo(e Event) error {
	switch {
	case c.Target != "":
		return errors.New("the services at --target are processes elsewhere, which the lab cannot end: use kill or their supervisor, or leave out --target")
	case e.Part == kafkaPart && len(c.Kafka) > 0:
		return errors.New("the lab did not start the Kafka at --kafka, so it does not end it: use its own supervisor, or leave out --kafka for the embedded one")
	case e.Part == rabbitmqPart && len(c.RabbitMQ) == 0:
		return errors.New("this run has no RabbitMQ, and one at --rabbitmq is not the lab's to end: use a service, or kafka for the embedded one")
	case e.Part != e.service() && !slices.Contains(services.Config{Instances: c.Instances}.InstancesOf(e.service()), e.Part):
		return fmt.Errorf("no instance %s: give %s several with --instances %[2]s=N, and name one of them as %[2]s/1 to %[2]s/N", e.Part, e.service())
	case e.Part == rabbitmqPart:
		return errors.New("the lab did not start the RabbitMQ at --rabbitmq, so it does not end it: use its own supervisor (task rabbitmq)")
	}
	return nil
}

// inTime sorts events by their time; those of one time keep their order.
func inTime(events []Event) []Event {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	return events
}
