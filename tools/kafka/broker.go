//go:build linux || darwin

package main

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

// broker is one broker's folder, and the port that start was asked for.
type broker struct {
	dir  string
	port int
}

func (b broker) properties() string { return filepath.Join(b.dir, "server.properties") }
func (b broker) data() string       { return filepath.Join(b.dir, "data") }
func (b broker) log() string        { return filepath.Join(b.dir, "kafka.log") }
func (b broker) pidFile() string    { return filepath.Join(b.dir, "kafka.pid") }
func (b broker) lockFile() string   { return filepath.Join(b.dir, "kafka.lock") }

// errHeld says that the lock is another's: the broker runs, or is about to.
var errHeld = errors.New("lock is held")

// lock takes the folder for the caller, until the last copy of the file is closed. Java inherits a copy and never closes it, so
// the lock is held exactly as long as the broker's process lives: no pid that was given to someone else, and no zombie, looks like a
// broker. The file is never removed, as two processes could then hold locks of the same name.
func (b broker) lock() (*os.File, error) {
	f, err := os.OpenFile(b.lockFile(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errHeld
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// process is what the pid file says: the broker's process and its address. It is true while the lock is held.
type process struct {
	pid     int
	address string
}

func (b broker) writePID(p process) error {
	next := b.pidFile() + ".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%d\n%s\n", p.pid, p.address), 0o644); err != nil {
		return err
	}
	return os.Rename(next, b.pidFile())
}

func (b broker) readPID() (process, error) {
	text, err := os.ReadFile(b.pidFile())
	if err != nil {
		return process{}, err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return process{}, fmt.Errorf("%s: want a pid and an address, found %q", b.pidFile(), text)
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil || pid <= 1 {
		return process{}, fmt.Errorf("%s: %q is no pid", b.pidFile(), fields[0])
	}
	return process{pid: pid, address: fields[1]}, nil
}

func (b broker) removePID() error {
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
func (b broker) writeSettings(address string) error {
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
