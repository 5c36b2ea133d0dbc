package otelamqp

import (
	"net"
	"strconv"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Servers and destinations beyond these limits are traced and measured, and
// described anew for each message.
const (
	maxServers      = 256  // of an Instrumentation
	maxDestinations = 4096 // of a server
)

// server is what is known about the other end of a connection, and the
// destinations that it has.
type server struct {
	in *Instrumentation
	// client is messaging.client.id: the connection's name.
	client []attribute.KeyValue
	// address names the server, peer the node that the connection reaches.
	address, peer []attribute.KeyValue

	destinations sync.Map // Destination to *destination
	count        counter
	nowhere      destination
}

// counter counts up to a limit.
type counter struct {
	mu sync.Mutex
	n  int
}

// below counts one more, unless there are limit of them.
func (c *counter) below(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n >= limit {
		return false
	}
	c.n++
	return true
}

type serverKey struct{ peer, name string }

// serverOf returns what is known about the server of conn. Connections with one
// peer and one name share it.
func (in *Instrumentation) serverOf(conn *amqp.Connection) *server {
	var key serverKey
	if peer := conn.RemoteAddr(); peer != nil {
		key.peer = peer.String()
	}
	key.name, _ = conn.Config.Properties["connection_name"].(string)
	in.mu.Lock()
	defer in.mu.Unlock()
	if known := in.servers[key]; known != nil {
		return known
	}
	s := newServer(in, key)
	if len(in.servers) < maxServers {
		in.servers[key] = s
	}
	return s
}

// newEmptyServer returns a server of which nothing is known.
func newEmptyServer(in *Instrumentation) *server {
	s := &server{in: in}
	s.nowhere.server = s
	return s
}

func newServer(in *Instrumentation, key serverKey) *server {
	s := newEmptyServer(in)
	if key.name != "" {
		s.client = []attribute.KeyValue{semconv.MessagingClientID(text(key.name))}
	}
	address := in.serverAddress
	if host, port, ok := hostPort(key.peer); ok {
		s.peer = []attribute.KeyValue{semconv.NetworkPeerAddress(host), semconv.NetworkPeerPort(port)}
		if address == "" {
			address = key.peer
		}
	}
	if host, port, ok := hostPort(address); ok {
		s.address = []attribute.KeyValue{semconv.ServerAddress(host), semconv.ServerPort(port)}
	} else if address != "" {
		s.address = []attribute.KeyValue{semconv.ServerAddress(text(address))}
	}
	return s
}

// hostPort takes host:port apart.
func hostPort(address string) (host string, port int, ok bool) {
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(number)
	return text(host), port, err == nil
}

// destination returns what is known about d.
func (s *server) destination(d Destination) *destination {
	if known, ok := s.destinations.Load(d); ok {
		return known.(*destination)
	}
	fresh := &destination{server: s, raw: d, name: text(d.String())}
	if !s.count.below(maxDestinations) {
		return fresh
	}
	known, _ := s.destinations.LoadOrStore(d, fresh)
	return known.(*destination)
}

// destinationless stands for what concerns several destinations, or none that is
// known.
func (s *server) destinationless() *destination { return &s.nowhere }
