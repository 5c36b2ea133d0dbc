package lab

import (
	"context"
	"strings"

	"tracelab/services"
	"tracelab/services/flows"
)

// openStore opens what the services of this process remember, unless that is in memory, and says what it is.
func (env *environment) openStore(ctx context.Context, c Config, config *services.Config) error {
	config.NoOutbox = c.NoOutbox
	env.stores = "memory" + c.outbox(false)
	if c.Store == "" {
		return nil
	}
	store, err := services.OpenStore(ctx, c.Store, c.Logger)
	if err != nil {
		return err
	}
	env.onStop(func(context.Context) error { return store.Close() })
	config.Store = store
	env.stores = store.Name() + c.outbox(true)
	return nil
}

// outbox says in which forms of the run first messages go out by way of an outbox.
func (c Config) outbox(durable bool) string {
	if c.NoOutbox {
		return ", outbox off"
	}
	var on, off []string
	for _, form := range c.Forms {
		said := c.Flow.OutboxOf(form)
		switch {
		case !c.Flow.SendsFromEntry(form):
		case said == flows.On || said == flows.Unsaid && durable:
			on = append(on, string(form))
		default:
			off = append(off, string(form))
		}
	}
	switch {
	case len(on) > 0 && len(off) > 0:
		return ", outbox on in " + strings.Join(on, ", ")
	case len(on) > 0 || len(off) == 0 && durable:
		return ", outbox on"
	case durable:
		return ", outbox off"
	}
	return ""
}
