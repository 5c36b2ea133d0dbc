//go:build linux || darwin

// Package broker runs one real Apache Kafka broker without Docker, for tools/kafka and for the stack: Maven fetches the jars once, Java 17 runs
// them. It is a single KRaft node on 127.0.0.1 that keeps its data between starts. A folder is one broker.
package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"

	"tracelab/internal/freeport"
)

// clusterID is 16 bytes in unpadded base64, as Kafka wants it ("tracelab-kafka-1"). Fixed, because the clusters never meet.
const clusterID = "dHJhY2VsYWIta2Fma2EtMQ"

// Broker is one broker's folder.
type Broker struct {
	Dir  string // data, settings, log
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
}

// Process is a broker that runs.
type Process struct {
	PID     int
	Address string // host:port for clients
}

// LockFile is the file whose lock the broker's process holds as long as it lives; see package flock.
func (b Broker) LockFile() string { return filepath.Join(b.Dir, "kafka.lock") }

// Log is the file that the broker writes its log to; a start begins it anew.
func (b Broker) Log() string { return filepath.Join(b.Dir, "kafka.log") }

func (b Broker) properties() string { return filepath.Join(b.Dir, "server.properties") }
func (b Broker) data() string       { return filepath.Join(b.Dir, "data") }
func (b Broker) pidFile() string    { return filepath.Join(b.Dir, "kafka.pid") }

// The pid file names the process and its address. What it says is true while the lock is held.

func (b Broker) writePID(p Process) error {
	next := b.pidFile() + ".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%d\n%s\n", p.PID, p.Address), 0o644); err != nil {
		return err
	}
	return os.Rename(next, b.pidFile())
}

func (b Broker) readPID() (Process, error) {
	text, err := os.ReadFile(b.pidFile())
	if err != nil {
		return Process{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return Process{}, fmt.Errorf("%s: want a pid and an address, found %q", b.pidFile(), text)
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil || pid <= 1 {
		return Process{}, fmt.Errorf("%s: %q is no pid", b.pidFile(), fields[0])
	}
	return Process{PID: pid, Address: fields[1]}, nil
}

func (b Broker) removePID() error {
	if err := os.Remove(b.pidFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// settings are the broker's server.properties. What is not here keeps Kafka's default.
var settings = template.Must(template.New("server.properties").Parse(`# Written at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{{.Controller}}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{{.Address}},CONTROLLER://{{.Controller}}
advertised.listeners=PLAINTEXT://{{.Address}}
log.dirs={{.Data}}

# One node can hold one copy.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# One coordinator needs no 50 partitions; they cost files and time at the first consumer group.
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.num.partitions=1

# After a kill the node may not come back before its own session has run out: 3 s, not 9 s.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A group's first member does not wait for others.
group.initial.rebalance.delay.ms=0
# A mistyped topic is an error, as it is with the embedded broker.
auto.create.topics.enable=false
# The default of 128 MiB is for large compacted topics, and is a third of this heap.
log.cleaner.dedupe.buffer.size=4194304
`))

// writeSettings writes server.properties for a broker at address, with a free port for its controller.
func (b Broker) writeSettings(address string) error {
	controller, err := freeAddress(0) // nobody names a port for it
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := settings.Execute(&text, map[string]string{"Address": address, "Controller": controller, "Data": b.data()}); err != nil {
		return err
	}
	return os.WriteFile(b.properties(), []byte(text.String()), 0o644)
}

// freeAddress returns 127.0.0.1 with the port, or with a free one for 0, after having bound it once. Another process may take the
// port before Kafka does: then Kafka's own log says so.
func freeAddress(port int) (string, error) {
	if port == 0 {
		addresses, err := freeport.InARow(1)
		if err != nil {
			return "", err
		}
		return addresses[0], nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", fmt.Errorf("port %d is in use by another process: choose one with -port, or 0 for a free one", port)
	}
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
