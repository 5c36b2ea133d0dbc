package lab

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/internal/vocabulary"
	"tracelab/services/flows"
)

// Event is what happens to a part of the lab at a time of the run.
type Event struct {
	At   time.Duration // from the first order's intended start
	Do   string        // stop, kill, pause or start
	Part string        // a service of the flow, or kafka
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
	if parts := append(f.Services(), kafkaPart, rabbitmqPart); !slices.Contains(parts, e.Part) {
		return e, fmt.Errorf("event %q: %w", text, &vocabulary.UnknownError{What: "service or broker", Word: e.Part, Known: parts})
	}
	return e, nil
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
			return fmt.Errorf("event %s: the run is over by %v: use an earlier time, more orders, or a longer --deadline", e, over.Round(time.Millisecond))
		}
		switch {
		case e.Do != "start" && down[e.Part]:
			return fmt.Errorf("event %s: %s is down by then: start it first", e, e.Part)
		case e.Do == "pause" && paused[e.Part]:
			return fmt.Errorf("event %s: %s is paused by then: start it first", e, e.Part)
		case e.Do == "start" && !down[e.Part] && !paused[e.Part]:
			return fmt.Errorf("event %s: %s runs by then: stop, kill or pause it first", e, e.Part)
		}
		down[e.Part] = e.Do == "stop" || e.Do == "kill"
		paused[e.Part] = e.Do == "pause"
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
