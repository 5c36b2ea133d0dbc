package lab_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/services"
)

// slowNetwork lets the answers of services come later. Those of brokers do not.
type slowNetwork struct {
	*virtualNetwork
	brokers []string
	answer  time.Duration
}

func (s *slowNetwork) network() services.Network {
	return services.Network{Listen: s.Listen, Dial: s.dial}
}

func (s *slowNetwork) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.DialContext(ctx, network, address)
	if err != nil || slices.Contains(s.brokers, address) {
		return conn, err
	}
	slow := &slowConn{Conn: conn, delay: s.answer, chunks: make(chan chunk, 64), closed: make(chan struct{})}
	go slow.receive()
	return slow, nil
}

// chunk is what was read at once.
type chunk struct {
	data []byte
	due  time.Time
	err  error
}

// slowConn hands out what it reads some time later, in order.
type slowConn struct {
	net.Conn
	delay  time.Duration
	chunks chan chunk
	rest   chunk
	closed chan struct{}
	once   sync.Once
}

func (c *slowConn) receive() {
	for {
		buffer := make([]byte, 16<<10)
		n, err := c.Conn.Read(buffer)
		select {
		case c.chunks <- chunk{buffer[:n], time.Now().Add(c.delay), err}:
		case <-c.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read waits until the next chunk is due.
func (c *slowConn) Read(b []byte) (int, error) {
	for len(c.rest.data) == 0 {
		if c.rest.err != nil {
			return 0, c.rest.err
		}
		select {
		case c.rest = <-c.chunks:
			time.Sleep(time.Until(c.rest.due))
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, c.rest.data)
	c.rest.data = c.rest.data[n:]
	return n, nil
}

// Close ends the connection and whoever reads from it.
func (c *slowConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// delayed is the timeout of a produce request that was held back: by it the broker knows that it has to take it now.
const delayed = 77_777

// queueFor lets a broker acknowledge a record after publishDelay and show it to consumers so much later. The returned function stops that.
func queueFor(t *testing.T, cluster *kfake.Cluster, network *virtualNetwork, queue time.Duration) (stop func()) {
	t.Helper()
	later, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(network.DialContext))
	if err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		produce := request.(*kmsg.ProduceRequest)
		if produce.TimeoutMillis == delayed {
			return nil, nil, false
		}
		cluster.SleepControl(func() { time.Sleep(publishDelay) })
		if queue == 0 {
			return nil, nil, false
		}
		answer := acknowledge(produce)
		produce.TimeoutMillis = delayed
		waiting.Go(func() {
			time.Sleep(queue)
			if _, err := later.Broker(0).Request(context.Background(), produce); err != nil {
				t.Errorf("produce what was held back: %v", err)
			}
		})
		return answer, nil, true
	})
	return func() {
		waiting.Wait()
		later.Close()
	}
}

// acknowledge is the answer to a request of which everything was taken.
func acknowledge(request *kmsg.ProduceRequest) kmsg.Response {
	answer := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition = partition.Partition
			t.Partitions = append(t.Partitions, p)
		}
		answer.Topics = append(answer.Topics, t)
	}
	return answer
}
