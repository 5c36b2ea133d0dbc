package watch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker/brokertest"
)

const (
	testInputs = 4 // partitions of the input
	testWorks  = 8 // of the work topic
)

// group is a broker and the watchers of a group, in virtual time.
type group struct {
	*testing.T
	network *brokertest.Network
	cluster *kfake.Cluster
	client  *kgo.Client
	nodes   []*node
}

// inGroup runs f in virtual time.
func inGroup(t *testing.T, f func(g *group)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &group{T: t, network: &brokertest.Network{}}
		var err error
		g.cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(g.network.Listen), kfake.SeedTopics(testInputs, DefaultTopic))
		g.must(err)
		g.client, err = kgo.NewClient(kgo.SeedBrokers(g.cluster.ListenAddrs()...), kgo.Dialer(g.network.DialContext), kgo.DisableClientMetrics(),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
		g.must(err)
		f(g)
		for _, n := range g.nodes {
			n.stop()
		}
		g.client.Close()
		time.Sleep(2 * fetchWait) // for the requests that wait there
		g.cluster.Close()
		time.Sleep(2 * fetchWait)
	})
}

func (g *group) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// node is one watcher: a process that can be killed, and be paused.
type node struct {
	g      *group
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	sums   Sums
	err    error

	mu     sync.Mutex
	dead   bool
	conns  []net.Conn
	paused chan struct{} // closed when it goes on; nil: it runs
}

// start starts a watcher. Change says what is special about it.
func (g *group) start(name string, change func(*Config)) *node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{g: g, name: name, cancel: cancel, done: make(chan struct{})}
	config := Config{Kafka: g.cluster.ListenAddrs(), Instance: name, Partitions: testWorks, MaxBytes: 64 << 20, Dial: n.dial, Logger: slog.New(slog.NewTextHandler(g.Output(), nil))}
	if change != nil {
		change(&config)
	}
	g.nodes = append(g.nodes, n)
	go func() {
		defer close(n.done)
		n.sums, n.err = Run(ctx, config)
	}()
	return n
}

// stop ends a watcher as a signal does.
func (n *node) stop() {
	n.resume()
	n.cancel()
	<-n.done
}

// kill ends it as kill -9 does: nothing that it has to say is heard.
func (n *node) kill() {
	n.mu.Lock()
	n.dead = true
	for _, conn := range n.conns {
		_ = conn.Close()
	}
	n.mu.Unlock()
	n.stop()
}

// pause holds up all that it reads and writes.
func (n *node) pause() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = make(chan struct{})
}

func (n *node) resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused != nil {
		close(n.paused)
		n.paused = nil
	}
}

func (n *node) wait() error {
	n.mu.Lock()
	paused := n.paused
	n.mu.Unlock()
	if paused != nil {
		<-paused
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return errors.New("killed")
	}
	return nil
}

func (n *node) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := n.wait(); err != nil {
		return nil, err
	}
	conn, err := n.g.network.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, conn)
	return &nodeConn{conn, n}, nil
}

type nodeConn struct {
	net.Conn
	n *node
}

func (c *nodeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, errors.Join(err, c.n.wait())
}

func (c *nodeConn) Write(b []byte) (int, error) {
	if err := c.n.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// records reads the whole of a topic.
func (g *group) records(topic string) []*kgo.Record {
	g.Helper()
	return brokertest.Records(g, 0, 2*time.Second, kgo.SeedBrokers(g.cluster.ListenAddrs()...), kgo.Dialer(g.network.DialContext), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(fetchWait))
}
