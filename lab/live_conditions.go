package lab

import (
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
	if !l.open() {
		return errNotOpen
	}
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
