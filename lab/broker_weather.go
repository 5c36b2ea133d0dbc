package lab

import (
	"context"
	"fmt"
	"net"

	"tracelab/internal/process"
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
func (b *Broker) Stop(context.Context, string) error { return wrapBroker(b.port.Down()) }

// Kill is Stop.
func (b *Broker) Kill(string) error { return wrapBroker(b.port.Down()) }

// Pause makes the broker stand still: connections stay, and nothing comes over them. Its own clock goes on, so it may give up members of groups.
func (b *Broker) Pause(string) error { return wrapBroker(b.port.Pause()) }

// Start brings it back at its address, or lets it go on.
func (b *Broker) Start(context.Context, string) error { return wrapBroker(b.port.Up()) }

func wrapBroker(err error) error {
	if err != nil {
		return fmt.Errorf("the embedded kafka: %w", err)
	}
	return nil
}
