//go:build linux || darwin

package stack

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"tracelab/internal/broker"
	"tracelab/internal/postgres"
	"tracelab/internal/rabbitmq"
)

// server is a part that a package of its own runs, with a start and a lock of its own: its container's scripts have no counterpart here.
type server struct {
	lock  func(layout) string
	start func(ctx context.Context, l layout, at serverPorts, progress io.Writer) (pid int, log string, err error)
	// after ends what the server's process leaves running when it ends; nil: nothing.
	after func(context.Context, layout) error
}

// serverPorts are where a server listens on 127.0.0.1: for clients, and with a page for Prometheus, or 0.
type serverPorts struct{ clients, metrics int }

// The services of compose.yaml that are such servers. They have the settings that compose gives their containers; compose_test.go in this folder
// compares Kafka's.
const (
	kafka           = "kafka"
	postgresService = "postgres"
	rabbitmqService = "rabbitmq"
)

var servers = map[string]server{
	kafka: {
		lock: func(l layout) string { return l.kafka().LockFile() },
		start: func(ctx context.Context, l layout, at serverPorts, progress io.Writer) (int, string, error) {
			b := l.kafka()
			b.Port = at.clients
			p, err := b.Start(ctx, progress)
			return p.PID, b.Log(), err
		},
	},
	postgresService: {
		lock: func(l layout) string { return l.postgres().LockFile() },
		start: func(ctx context.Context, l layout, at serverPorts, progress io.Writer) (int, string, error) {
			s := l.postgres()
			s.Port = at.clients
			p, err := s.Start(ctx, progress)
			return p.PID, s.Log(), err
		},
	},
	rabbitmqService: {
		lock: func(l layout) string { return l.rabbitmq().LockFile() },
		start: func(ctx context.Context, l layout, at serverPorts, progress io.Writer) (int, string, error) {
			n := l.rabbitmq()
			n.Port, n.Metrics = at.clients, at.metrics
			p, err := n.Start(ctx, progress)
			return p.PID, n.Log(), err
		},
		after: func(ctx context.Context, l layout) error { return l.rabbitmq().Stop(ctx, io.Discard) }, // its port mapper
	},
}

func (l layout) kafka() broker.Broker { return broker.Broker{Dir: filepath.Join(l.state, kafka)} }
func (l layout) postgres() postgres.Server {
	return postgres.Server{Dir: filepath.Join(l.state, postgresService)}
}
func (l layout) rabbitmq() rabbitmq.Node {
	return rabbitmq.Node{Dir: filepath.Join(l.state, rabbitmqService)}
}

// startServer starts a part at its addresses, and returns its pid and log.
func (l layout) startServer(ctx context.Context, part Part, progress io.Writer) (pid int, log string, err error) {
	var at serverPorts
	if at.clients, err = portOf(part.Address); err != nil {
		return 0, "", err
	}
	if part.Metrics != "" {
		if at.metrics, err = portOf(part.Metrics); err != nil {
			return 0, "", err
		}
	}
	return servers[part.Name].start(ctx, l, at, progress)
}

func portOf(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// optional returns the variables and the profiles of compose.yaml for its two parts that a stack may have or not have: the PostgreSQL that
// STORE names, and RabbitMQ, which is there where Debian's package is, unless RABBITMQ says otherwise (empty: none; an address: that one).
// missing says why there is none although nobody has said so.
func optional(lookup func(string) (string, bool)) (variables, profiles []string, missing error) {
	if store, _ := lookup("STORE"); strings.HasPrefix(store, "postgres") {
		profiles = append(profiles, "stores")
	}
	address, said := lookup("RABBITMQ")
	if !said {
		if missing = rabbitmq.Installed(); missing != nil {
			return nil, profiles, missing
		}
		address = rabbitmqService + ":5672"
	}
	if strings.HasPrefix(address, rabbitmqService+":") {
		profiles = append(profiles, "brokers")
	}
	return []string{"RABBITMQ=" + address}, profiles, nil
}
