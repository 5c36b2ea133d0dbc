package lab

import (
	"context"

	"tracelab/services"
)

// openStore opens what the services of this process remember, unless that is in memory, and says what it is.
func (env *environment) openStore(ctx context.Context, c Config, config *services.Config) error {
	env.stores = "memory"
	if c.Store == "" {
		return nil
	}
	store, err := services.OpenStore(ctx, c.Store, c.Logger)
	if err != nil {
		return err
	}
	env.onStop(func(context.Context) error { return store.Close() })
	config.Store, config.NoOutbox = store, c.NoOutbox
	env.stores = store.Name() + ", outbox on"
	if c.NoOutbox {
		env.stores = store.Name() + ", outbox off"
	}
	return nil
}
