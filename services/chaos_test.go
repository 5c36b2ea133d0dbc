package services

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/testkit"
	"tracelab/services/flows"
)

const (
	// chaosOrders names the environment variable that says how many orders TestChaos places by the form kafka; reply and hybrid get a tenth each.
	chaosOrders = "TRACELAB_CHAOS_ORDERS"
	// chaosSeed names the one with another seed.
	chaosSeed   = "TRACELAB_CHAOS_SEED"
	chaosSettle = 3 * time.Minute // for the last order to end, on a busy machine
)

// chaos is trouble with an embedded Kafka of three nodes and with the services of two processes, while orders are placed. What happens and when
// is drawn from a seed.
type chaos struct {
	*testLab
	network *testkit.Cuttable
	draws   *rand.Rand
	second  *System // other members of the groups
	tally   *stepTally
	order   *keyOrder
	starts  sync.WaitGroup

	mu       sync.Mutex
	happened map[string]int
	answers  []placed
}

// placed is an order that was placed, and the client's answer.
type placed struct {
	form   Form
	status int
	id     string
}

// TestChaos: connections to the brokers are cut every 0.5 to 1.5 s, partitions get other leaders, groups other coordinators and other members, and
// every service is killed and started again, while orders arrive. Nothing that was accepted is lost, each step has its effect once, and every
// message that came twice is accounted for. In real time: when members come and go the Kafka client waits by mutexes, which stop virtual time.
func TestChaos(t *testing.T) {
	t.Parallel()
	orders, seed := numberOf(t, chaosOrders, testkit.Times(150, 800)), numberOf(t, chaosSeed, 1)
	rate := testkit.Times(100, 200) // trouble lasts as long with the race detector
	store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	l := newTestLab(t, TCP(), "127.0.0.1:0")
	c := &chaos{testLab: l, network: &testkit.Cuttable{}, draws: rand.New(rand.NewPCG(uint64(seed), 0)), tally: newStepTally(), order: newKeyOrder(), happened: map[string]int{}}
	l.cluster.Close()
	l.cluster, err = kfake.NewCluster(kfake.NumBrokers(3), kfake.ListenFn(c.network.Listen), kfake.MaxVersions(withoutEpochs()))
	l.must(err)
	l.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
	l.with(func(*testLab) { c.run(orders, rate) }, []func(*Config){func(config *Config) {
		config.Kafka, config.Store = l.cluster.ListenAddrs(), store
		config.Telemetry.Processors, config.Telemetry.Logs = []sdktrace.SpanProcessor{c.tally, c.order}, slog.DiscardHandler
	}})
}

// withoutEpochs keeps clients from asking where the epoch of a partition's last leader ended. The embedded broker says that it does not know, until the
// new leader has taken a record; a real one knows. A client that is told so reads again what it has read.
func withoutEpochs() *kversion.Versions {
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.OffsetForLeaderEpoch), -1)
	return versions
}

// numberOf is what an environment variable says, or what it is without.
func numberOf(t *testing.T, name string, without int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return without
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q: use a number", name, text)
	}
	return n
}

// run places the orders while the chaos goes on, waits until all of them have ended, and checks what became of them.
func (c *chaos) run(orders, rate int) {
	c.startSecond()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c.must(c.second.Shutdown(ctx))
	}()
	began := time.Now()
	ctx, stop := context.WithCancel(c.Context())
	var trouble sync.WaitGroup
	trouble.Go(func() {
		for ctx.Err() == nil {
			c.beat(ctx)
		}
	})
	c.placeAll(orders, rate)
	placedWithin := time.Since(began)
	stop()
	trouble.Wait()
	c.starts.Wait()
	c.settle()
	c.Logf("%d orders placed in %v, all ended after %v; %v", len(c.answers), placedWithin.Round(time.Second), time.Since(began).Round(time.Second), c.happened)
	c.check()
}

// startSecond starts further members of the groups, which share the store.
func (c *chaos) startSecond() {
	own := c.config
	own.Services = []string{Inventory, Payment, Shipping, Notification, Analytics}
	own.HTTP, own.GRPC = map[string]string{}, map[string]string{}
	for _, name := range []string{Gateway, Orders} {
		own.HTTP[name], own.GRPC[name] = c.system.Address(name), c.system.GRPCAddress(name)
	}
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	var err error
	c.second, err = Start(ctx, own)
	c.must(err)
	c.must(c.second.Ready(ctx))
}

// placeAll places so many orders of the form kafka, and a tenth of that of two others, at a rate a second.
func (c *chaos) placeAll(orders, rate int) {
	forms := append(slices.Repeat([]Form{Kafka}, 10), "reply", Hybrid)
	next := map[Form]int{}
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	var placing sync.WaitGroup
	for i := 0; next[Kafka] < orders || i%len(forms) != 0; i++ {
		e := in("r", forms[i%len(forms)])
		e.Number, e.Seed = next[e.Form], 1
		next[e.Form]++
		placing.Go(func() {
			a := c.place(e, tea)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.answers = append(c.answers, placed{e.Form, a.status, a.id()})
		})
		<-ticker.C
	}
	placing.Wait()
}

// beat waits for half a second to one and a half, cuts the connections of one node, and draws what happens besides.
func (c *chaos) beat(ctx context.Context) {
	pause := 500*time.Millisecond + time.Duration(c.draws.IntN(1000))*time.Millisecond
	node, what, service, down := int32(c.draws.IntN(3)), c.draws.IntN(4), c.draws.IntN(1000), time.Duration(c.draws.IntN(1500))*time.Millisecond
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return
	}
	c.note("connections cut", c.network.Cut(int(node)))
	switch others := c.second.config.Services; what {
	case 0:
		for _, topic := range flows.Order().Topics() {
			for partition := range c.cluster.PartitionInfos(topic) {
				c.must(c.cluster.MoveTopicPartition(topic, int32(partition), int32(c.draws.IntN(3))))
			}
		}
		c.note("leaders moved", 1)
	case 1:
		c.cluster.RehashCoordinators()
		c.note("coordinators rehashed", 1)
	case 2:
		name := others[service%len(others)]
		c.endAndStart(c.second, name, "member left and joined", down, func() error {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			return c.second.Stop(ctx, name)
		})
	case 3:
		name := Names()[service%len(Names())]
		c.endAndStart(c.system, name, "service killed", down, func() error { return c.kill(name) })
	}
}

// endAndStart ends a service and starts it again after a while, beside what happens next. Nothing happens to one that is away or on its way back.
func (c *chaos) endAndStart(s *System, name, what string, down time.Duration, end func() error) {
	if runs, _ := s.Running(name); !runs {
		return
	}
	c.note(what, 1)
	c.starts.Go(func() {
		if err := end(); err != nil {
			c.note(what+" in haste", 1) // its messages come again
		}
		time.Sleep(down)
		testkit.Await(c, "start "+name+" again", chaosSettle, func(ctx context.Context) error { return s.Start(ctx, name) })
	})
}

// kill kills a service and tells its brokers: the embedded one waits a minute for a member that goes while a group takes members in, a real one
// until its session ends.
func (c *chaos) kill(name string) error {
	n, err := c.system.find(name)
	if err != nil {
		return err
	}
	evictions := n.evictions()
	err = c.system.Kill(name)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, evict := range evictions {
		err = errors.Join(err, evict(ctx))
	}
	return err
}

func (c *chaos) note(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.happened[what] += n
}
