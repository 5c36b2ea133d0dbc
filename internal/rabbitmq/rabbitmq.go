//go:build linux || darwin

// Package rabbitmq runs one real RabbitMQ node without Docker, for tools/rabbitmq and for tests: Debian's package, without Debian's script. The
// script's port mapper outlives it and listens on every address; here the node and its port mapper are processes of their own on 127.0.0.1. A
// node keeps its data between starts. A folder is one node.
package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/internal/freeport"
	"tracelab/internal/parts"
	"tracelab/internal/server"
)

// Node is one node's folder.
type Node struct {
	Dir  string // data, settings, logs
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
	// Metrics is the port on 127.0.0.1 of a page for Prometheus, for Start: how deep its queues are, and who consumes them. 0: no page, and no plugin.
	Metrics int
	// Child ends the node's processes with this process, however it ends. Else they run until Stop.
	Child bool
}

// Process is a node that runs. Its helper is its port mapper.
type Process struct{ server.Process }

// URL is how clients dial the node.
func (p Process) URL() string { return "amqp://guest:guest@" + p.Address + "/" }

// LockFile is the file whose lock the node's process holds as long as it lives; see package flock.
func (n Node) LockFile() string { return n.folder().LockFile() }

// Log is the file that the node writes its log to; a start begins it anew.
func (n Node) Log() string { return n.folder().Log() }

func (n Node) mapperLock() string { return filepath.Join(n.Dir, "epmd.lock") }

func (n Node) folder() server.Folder {
	return server.Folder{Dir: n.Dir, Data: n.Dir, Name: "rabbitmq", Noun: "node", Signal: syscall.SIGTERM, Ping: n.ping, Left: n.endMapper}
}

// ports are where a node listens, as text: clients, its port mapper, and other nodes, of which there are none.
type ports struct{ clients, mapper, nodes string }

// choosePorts returns free ports on 127.0.0.1, after having bound each once. Another process may take one before RabbitMQ does: then its own
// log says so.
func (n Node) choosePorts() (ports, error) {
	free, err := freeport.InARow(3)
	if err != nil {
		return ports{}, err
	}
	numbers := make([]string, len(free))
	for i, address := range free {
		if _, numbers[i], err = net.SplitHostPort(address); err != nil {
			return ports{}, err
		}
	}
	chosen := ports{clients: numbers[0], mapper: numbers[1], nodes: numbers[2]}
	if n.Port != 0 {
		chosen.clients = strconv.Itoa(n.Port)
	}
	for _, port := range []int{n.Port, n.Metrics} {
		if port == 0 {
			continue
		}
		if _, err := server.Address(port); err != nil {
			return ports{}, err
		}
	}
	return chosen, nil
}

// MetricsURL is the page for Prometheus, with the sums over all queues; below it, detailed?family=… has them by queue.
func (n Node) MetricsURL() string { return fmt.Sprintf("http://127.0.0.1:%d/metrics", n.Metrics) }

// ping asks for all that the node serves.
func (n Node) ping(ctx context.Context, address string) error {
	if err := Ping(ctx, address); err != nil || n.Metrics == 0 {
		return err
	}
	return parts.AskHTTP(ctx, n.MetricsURL())
}

// Ping dials the node and opens a channel: an open port is not yet a broker. It fails after a second at the latest.
func Ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := amqp.DialConfig(Process{server.Process{Address: address}}.URL(), amqp.Config{Dial: func(network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		deadline, _ := ctx.Deadline()
		return conn, conn.SetDeadline(deadline) // of the handshake and all that follows
	}})
	if err != nil {
		return err
	}
	ch, err := conn.Channel()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return errors.Join(ch.Close(), conn.Close())
}
