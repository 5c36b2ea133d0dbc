package lab

import (
	"context"
	"fmt"
	"time"

	"tracelab/services"
)

// States of a part.
const (
	partRunning  = "running"
	partPaused   = "paused"
	partDown     = "down"
	partStarting = "starting"
)

// Part is a service, an instance of one, or the embedded Kafka.
type Part struct {
	Name  string
	State string   // running, paused, down or starting
	Waits string   // what a start waits for that takes seconds, or ""
	CanDo []string // stop, kill, pause or start
}

// Do stops, kills, pauses or starts a part now; e.At is ignored. It returns when that is done: a stop when all is finished, a start when calls and
// messages reach the part again. A *ConfigError is what is out of this lab's reach.
func (l *Live) Do(ctx context.Context, e Event) error {
	if !l.open() {
		return errNotOpen
	}
	if err := l.config.canDo(e); err != nil {
		return &ConfigError{fmt.Errorf("%s %s: %w", e.Do, e.Part, err)}
	}
	defer l.did()
	if e.Do == "start" {
		if err := l.canJoin(e); err != nil {
			return &ConfigError{fmt.Errorf("start %s: %w", e.Part, err)}
		}
		defer l.starting(e)()
	}
	l.did()
	err := l.env.disturb(ctx, e)
	l.noteEnd(e, err)
	if err != nil {
		return fmt.Errorf("%s %s: %w", e.Do, e.Part, err)
	}
	return nil
}

// noteEnd notes which instances of a service an event has ended, and how. A stop that had to cut off calls has an error, and has ended the service all the same.
func (l *Live) noteEnd(e Event, err error) {
	if e.Part == kafkaPart {
		return
	}
	l.looked.Lock()
	defer l.looked.Unlock()
	for _, name := range l.config.instances(e) {
		runs, _ := l.env.system.Running(name)
		if err != nil && runs {
			continue
		}
		l.looked.killed[name] = e.Do == "kill"
		if !runs {
			l.looked.ended[e.service()] = fmt.Sprintf("the %s of %s at %s", e.Do, e.Part, time.Now().Format(time.TimeOnly))
		}
	}
}

// canJoin refuses to start a service that could not join the embedded Kafka, before anything waits for that.
func (l *Live) canJoin(e Event) error {
	if runs, _ := l.env.system.Running(e.Part); runs { // it goes on where it stood still
		return nil
	}
	return l.env.kafkaAway(e)
}

// starting notes what is about to be started, and what that waits for, until the function is called.
func (l *Live) starting(e Event) (started func()) {
	if e.Part == kafkaPart {
		return func() {}
	}
	var names []string
	l.looked.Lock()
	defer l.looked.Unlock()
	for _, name := range l.config.instances(e) {
		if runs, _ := l.env.system.Running(name); runs {
			continue
		}
		waits := ""
		if l.looked.killed[name] && l.brokers.kafka.consumes(e.service()) {
			waits = fmt.Sprintf("Kafka gives up the member that was killed when its session ends, after up to %v, and lets this one in", services.SessionTimeout)
		}
		names = append(names, name)
		l.looked.starting[name] = waits
	}
	return func() {
		l.looked.Lock()
		defer l.looked.Unlock()
		for _, name := range names {
			delete(l.looked.starting, name)
		}
	}
}

// did notes that something is done to a part: what comes of it is to be read.
func (l *Live) did() {
	l.looked.Lock()
	l.looked.did = time.Now()
	l.looked.Unlock()
	l.nudge()
	l.changes.note()
}

// parts lists what Do can be done to; nothing when the services run elsewhere.
func (l *Live) parts() []Part {
	if l.env.system == nil {
		return nil
	}
	l.looked.Lock()
	defer l.looked.Unlock()
	var list []Part
	for _, service := range l.config.Flow.Services() {
		for _, name := range (services.Config{Instances: l.config.Instances}).InstancesOf(service) {
			state := partDown
			if runs, paused := l.env.system.Running(name); paused {
				state = partPaused
			} else if runs {
				state = partRunning
			}
			waits, starts := l.looked.starting[name]
			if starts {
				state = partStarting
			}
			list = append(list, partIn(name, state, waits))
		}
	}
	if l.env.embedded != nil {
		list = append(list, partIn(kafkaPart, l.env.embedded.State(), ""))
	}
	return list
}

// partIn is a part in a state, with what can be done to it.
func partIn(name, state, waits string) Part {
	return Part{name, state, waits, map[string][]string{
		partRunning: {"stop", "kill", "pause"}, partPaused: {"start", "stop", "kill"}, partDown: {"start"},
	}[state]}
}
