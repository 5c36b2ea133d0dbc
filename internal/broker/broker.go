//go:build linux || darwin

// Package broker runs one real Apache Kafka broker without Docker, for tools/kafka and for the stack: Maven fetches the jars once, Java 17 runs
// them. It is a single KRaft node on 127.0.0.1 that keeps its data between starts. A folder is one broker.
package broker

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"

	"tracelab/internal/server"
)

// clusterID is 16 bytes in unpadded base64, as Kafka wants it ("tracelab-kafka-1"). Fixed, because the clusters never meet.
const clusterID = "dHJhY2VsYWIta2Fma2EtMQ"

// Broker is one broker's folder.
type Broker struct {
	Dir  string // data, settings, log
	Port int    // on 127.0.0.1, for Start; 0 takes a free one
}

// LockFile is the file whose lock the broker's process holds as long as it lives; see package flock.
func (b Broker) LockFile() string { return b.folder().LockFile() }

// Log is the file that the broker writes its log to; a start begins it anew.
func (b Broker) Log() string { return b.folder().Log() }

func (b Broker) properties() string { return filepath.Join(b.Dir, "server.properties") }
func (b Broker) data() string       { return filepath.Join(b.Dir, "data") }

func (b Broker) folder() server.Folder {
	return server.Folder{Dir: b.Dir, Data: b.data(), Name: "kafka", Noun: "broker", Signal: syscall.SIGTERM, Ping: ping}
}

// Stop asks the broker of b's folder to shut down and waits until its process is gone. No broker there is success as well.
func (b Broker) Stop(ctx context.Context, progress io.Writer) error {
	return b.folder().Stop(ctx, progress)
}

// Status returns the broker of b's folder; it is an error when none runs, or when it does not answer.
func (b Broker) Status(ctx context.Context, progress io.Writer) (server.Process, error) {
	return b.folder().Status(ctx, progress)
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
	controller, err := server.Address(0) // nobody names a port for it
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := settings.Execute(&text, map[string]string{"Address": address, "Controller": controller, "Data": b.data()}); err != nil {
		return err
	}
	return os.WriteFile(b.properties(), []byte(text.String()), 0o644)
}
