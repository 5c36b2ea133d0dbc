package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/flows"
)

// ParseLink reads how the way between two parts is disturbed: A>B:KIND[=VALUE][,…], such as orders>payment:latency=40ms. A is the client or a
// service, B a service, kafka or rabbitmq.
func ParseLink(f *flows.Flow, text string) (links.Link, error) {
	return links.Parse(text, append([]string{clientName}, f.Services()...), append(f.Services(), kafkaPart, rabbitmqPart))
}

// LinkKinds lists what a link may be told to be.
func LinkKinds() []string { return links.Kinds() }

// SplitLinks takes lists of links with commas between them apart.
func SplitLinks(texts []string) []string { return links.Split(texts) }

// checkLinks finds links that cannot be, before anything is started.
func (c Config) checkLinks() error {
	switch {
	case len(c.Links) == 0:
		return nil
	case len(c.Links) > links.Most:
		return fmt.Errorf("%d links: use at most %d", len(c.Links), links.Most)
	case c.Target != "":
		return errors.New("the services at --target connect to each other elsewhere, out of the lab's reach: put a proxy between them there, or leave out --link")
	}
	for _, l := range c.Links {
		if l.To == rabbitmqPart && len(c.RabbitMQ) == 0 {
			return fmt.Errorf("link %s: this run has no RabbitMQ: name one with --rabbitmq", l)
		}
	}
	return nil
}

// directory tells which part has an address.
type directory struct {
	mu       sync.Mutex
	parts    map[string]string
	rabbitmq []string
}

// of is the part at an address: what is no service and no RabbitMQ is a broker of the Kafka, which names its brokers itself.
func (d *directory) of(address string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if part, ok := d.parts[address]; ok {
		return part
	}
	if slices.Contains(d.rabbitmq, address) {
		return rabbitmqPart
	}
	return kafkaPart
}

// note notes where the services are.
func (d *directory) note(system *services.System, names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parts = map[string]string{}
	for _, name := range names {
		for address := range strings.SplitSeq(system.Address(name)+","+system.GRPCAddress(name), ",") {
			d.parts[address] = name
		}
	}
}

// link puts the links of a run between its parts.
func (env *environment) link(c Config, config *services.Config) {
	if len(c.Links) == 0 && !c.settableLinks {
		return
	}
	env.directory = &directory{rabbitmq: c.RabbitMQ}
	if c.settableLinks {
		env.links = links.NewSettable(c.Network.Dial, env.directory.of)
	} else {
		env.links = links.New(c.Links, c.Network.Dial, env.directory.of)
	}
	env.onStop(func(context.Context) error { env.links.Close(); return nil })
	config.Dial = func(service string) func(context.Context, string, string) (net.Conn, error) {
		return env.links.Dial(service)
	}
}

// placing is the network over which the client places orders.
func (env *environment) placing(network services.Network) services.Network {
	if dial := env.links.Dial(clientName); dial != nil {
		network.Dial = dial
	}
	return network
}

// linkLines say what went over the links.
func (r *Result) linkLines() []string {
	var lines []string
	for _, l := range r.LinksUsed {
		lines = append(lines, fmt.Sprintf("link %s: %s, %s", l.Link, count(int(l.Connections), "connection", "connections"), count(int(l.Bytes), "byte", "bytes")))
	}
	return lines
}

// linkProblems names the links over which nothing went.
func (r *running) linkProblems(result *Result) {
	for _, l := range result.LinksUsed {
		if l.Bytes == 0 {
			result.Problems = append(result.Problems, fmt.Sprintf("link %s disturbed nothing: nothing went from one to the other in these forms", l.Link))
		}
	}
}
