package lab

import (
	"fmt"

	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// checkFaults finds a fault that a form of the run has no way to carry out. A table of AMQP has each header once, so over RabbitMQ a message names one
// parent, and the fault would do nothing, silently.
func (c Config) checkFaults() error {
	for _, f := range c.Faults {
		if f.Kind != faults.DoubleTraceparent {
			continue
		}
		for _, form := range c.Forms {
			alone, err := c.sendsByRabbitMQAlone(form, f.Service)
			if err != nil {
				return err
			}
			if alone {
				return fmt.Errorf("fault %s: in the form %s %s sends over RabbitMQ alone, where a message has each header once and so names one parent: leave out the form or the fault",
					f, form, f.Service)
			}
		}
	}
	return nil
}

// sendsByRabbitMQAlone tells whether all hops that a service makes in a form are messages over RabbitMQ, and there are some.
func (c Config) sendsByRabbitMQAlone(form services.Form, service string) (bool, error) {
	plan, err := c.Flow.Plan(form)
	if err != nil {
		return false, fmt.Errorf("form %s: %w", form, err)
	}
	some := false
	for _, hop := range plan.Hops {
		if hop.By == flows.Local || !madeBy(plan, hop, service) {
			continue
		}
		if hop.By != flows.RabbitMQ {
			return false, nil
		}
		some = true
	}
	return some, nil
}
