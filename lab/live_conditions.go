package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/faults"
)

// Conditions are what units meet that are placed from now on. Relation and faults travel with each unit; a link is between parts, so that units under
// way meet it, too. Times of faults and links count from when the conditions were set.
type Conditions struct {
	Faults   []faults.Fault
	Relation services.Relation
	Links    []links.Link
}

// States of a part.
const (
	partRunning = "running"
	partPaused  = "paused"
	partDown    = "down"
)

// Part is a service, an instance of one, or the embedded Kafka.
type Part struct {
	Name  string
	State string   // running, paused or down
	CanDo []string // stop, kill, pause or start
}

// FiredCount says on how many units a fault acted, of the first million or so of a lab.
type FiredCount struct {
	Fault string
	Units int // that were placed with it
	Drawn int // of those, by the seed
	Fired int // on which a service acted on it; of services elsewhere nothing is known: 0
}

// SetConditions puts conditions in the place of those before. Connections whose links change are closed and opened anew: a unit that is under way on
// one of them meets that as a reset. A *ConfigError is something that makes no sense in this lab; nothing has changed then.
func (l *Live) SetConditions(c Conditions) error {
	c = c.clone()
	config := l.config
	config.Faults, config.Links = c.Faults, c.Links
	if err := errors.Join(config.checkFaults(), config.checkLinks()); err != nil {
		return &ConfigError{err}
	}
	if len(c.Faults) > 0 && !l.env.obeys {
		return &ConfigError{fmt.Errorf("the services at %s do not obey faults: start them with --allow-faults", l.env.client.base)}
	}
	l.cond.Lock()
	l.cond.Conditions, l.cond.since = c, time.Now()
	l.env.links.Set(l.ctx, c.Links)
	l.cond.Unlock()
	l.changes.note()
	return nil
}

// Conditions are those that units meet now.
func (l *Live) Conditions() Conditions {
	l.cond.Lock()
	defer l.cond.Unlock()
	return l.cond.clone()
}

func (c Conditions) clone() Conditions {
	return Conditions{Faults: slices.Clone(c.Faults), Relation: c.Relation, Links: slices.Clone(c.Links)}
}

// Do stops, kills, pauses or starts a part now; e.At is ignored. It returns when that is done: a stop when all is finished, a start when calls and
// messages reach the part again. A *ConfigError is what is out of this lab's reach.
func (l *Live) Do(ctx context.Context, e Event) error {
	if err := l.config.canDo(e); err != nil {
		return &ConfigError{fmt.Errorf("%s %s: %w", e.Do, e.Part, err)}
	}
	defer l.did()
	l.did()
	if err := l.env.disturb(ctx, e); err != nil {
		return fmt.Errorf("%s %s: %w", e.Do, e.Part, err)
	}
	if e.Part == kafkaPart {
		l.looked.Lock()
		l.looked.kafka = map[string]string{"stop": partDown, "kill": partDown, "pause": partPaused, "start": partRunning}[e.Do]
		l.looked.Unlock()
	}
	return nil
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
	var list []Part
	for _, service := range l.config.Flow.Services() {
		for _, name := range (services.Config{Instances: l.config.Instances}).InstancesOf(service) {
			state := partDown
			if runs, paused := l.env.system.Running(name); paused {
				state = partPaused
			} else if runs {
				state = partRunning
			}
			list = append(list, partIn(name, state))
		}
	}
	if l.env.embedded != nil {
		l.looked.Lock()
		list = append(list, partIn(kafkaPart, l.looked.kafka))
		l.looked.Unlock()
	}
	return list
}

// partIn is a part in a state, with what can be done to it.
func partIn(name, state string) Part {
	return Part{name, state, map[string][]string{
		partRunning: {"stop", "kill", "pause"}, partPaused: {"start", "stop", "kill"}, partDown: {"start"},
	}[state]}
}

// drawnUnits counts the units that were placed with each fault, and those that the seed draws for it.
type drawnUnits struct {
	byFault map[string]*FiredCount
	inOrder []string
}

const (
	// mostDrawn bounds the faults that are counted, firstUnits the numbers of units: the services tell apart so many.
	mostDrawn, firstUnits = 200, 1 << 20
)

// note counts a unit that is being placed. The judge's lock is held.
func (d *drawnUnits) note(e services.Experiment) {
	if e.Number >= firstUnits {
		return
	}
	for _, f := range e.Faults {
		name := f.String()
		count := d.byFault[name]
		if count == nil {
			if len(d.inOrder) >= mostDrawn {
				continue
			}
			if d.byFault == nil {
				d.byFault = map[string]*FiredCount{}
			}
			count = &FiredCount{Fault: name}
			d.byFault[name], d.inOrder = count, append(d.inOrder, name)
		}
		count.Units++
		count.Drawn += one(e.Hits(f))
	}
}

// fired lists the faults that units were placed with, in the order in which they came. The judge's lock is held.
func (l *Live) fired() []FiredCount {
	fired := map[string]int{}
	if l.env.system != nil {
		for _, counts := range l.env.system.Fired(l.name) {
			for fault, n := range counts {
				fired[fault] += n
			}
		}
	}
	list := make([]FiredCount, 0, len(l.drawn.inOrder))
	for _, name := range l.drawn.inOrder {
		count := *l.drawn.byFault[name]
		count.Fired = fired[name]
		list = append(list, count)
	}
	return list
}
