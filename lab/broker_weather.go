package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"

	"tracelab/internal/process"
	"tracelab/services"
)

// listenOn is the embedded broker's way to listen: its port can be taken down and up again.
func (b *Broker) listenOn(listen process.Listen) process.Listen {
	return func(network, address string) (net.Listener, error) {
		port, err := process.NewPort(listen, network, address)
		if err != nil {
			return nil, err
		}
		b.port = port
		return port, nil
	}
}

// Stop ends the broker as SIGTERM does, and Kill as kill -9 does: its port is closed and all connections are reset. Its records and what
// groups have committed stay, as on a real broker's disk; an acknowledgement that was on its way is lost, so that the record is sent again. The
// embedded broker has nothing to finish, so both are the same.
func (b *Broker) Stop(context.Context, string) error { return b.become(partDown, (*process.Port).Down) }

// Kill is Stop.
func (b *Broker) Kill(string) error { return b.become(partDown, (*process.Port).Down) }

// Pause makes the broker stand still: connections stay, and nothing comes over them. Its own clock goes on, so it may give up members of groups.
func (b *Broker) Pause(string) error { return b.become(partPaused, (*process.Port).Pause) }

// Start brings it back at its address, or lets it go on.
func (b *Broker) Start(context.Context, string) error {
	return b.become(partRunning, (*process.Port).Up)
}

// State is running, paused or down.
func (b *Broker) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.port == nil {
		return partDown
	}
	return cmp.Or(b.state, partRunning)
}

func (b *Broker) become(state string, do func(*process.Port) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.port == nil {
		return errors.New("the embedded kafka was never started: make one with StartBroker")
	}
	if err := do(b.port); err != nil {
		return fmt.Errorf("the embedded kafka: %w", err)
	}
	b.state = state
	return nil
}

// kafkaAway says that a service cannot be started because it could not join the embedded Kafka; nil when it can.
func (env *environment) kafkaAway(e Event) error {
	if env.embedded == nil || e.Part == kafkaPart || e.service() == services.Gateway || env.embedded.State() == partRunning {
		return nil
	}
	return fmt.Errorf("kafka is %s, and a service joins it as it starts: start kafka first", env.embedded.State())
}
