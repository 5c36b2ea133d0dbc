//go:build linux || darwin

// Package rabbitmq runs one real RabbitMQ node without Docker, for tools/rabbitmq and for tests: Debian's package, without Debian's script. The
// script's port mapper outlives it and listens on every address; here the node and its port mapper are processes of their own on 127.0.0.1. A
// node keeps its data between starts. A folder is one node.
package rabbitmq

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tracelab/internal/freeport"
	"tracelab/internal/server"
)

// Node is one node's folder.
type Node struct {
	Dir  string // data, settings, logs
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
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
	return server.Folder{Dir: n.Dir, Data: n.Dir, Name: "rabbitmq", Noun: "node", Signal: syscall.SIGTERM, Ping: Ping, Left: n.endMapper}
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
	if n.Port == 0 {
		return chosen, nil
	}
	chosen.clients = strconv.Itoa(n.Port)
	_, err = server.Address(n.Port)
	return chosen, err
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
