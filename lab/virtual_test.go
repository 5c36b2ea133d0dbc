package lab_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tracelab/internal/broker/brokertest"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
)

// virtualNetwork is a network in memory, as the lab takes it.
type virtualNetwork struct{ brokertest.Network }

func (v *virtualNetwork) network() services.Network {
	return services.Network{Listen: v.Listen, Dial: v.DialContext}
}

// What the virtual broker takes: an acknowledgement comes after publishDelay, and records are handed out at whole
// multiples of deliveryTick only. Without these every hop over it would take 0 ns, and no wait could be seen.
const (
	publishDelay = time.Millisecond
	deliveryTick = 10 * time.Millisecond
	longestFetch = 200 * time.Millisecond // without a record
)

// startVirtualBroker starts a Kafka on the virtual network that takes its time.
func startVirtualBroker(t *testing.T, network *virtualNetwork) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.SleepOutOfOrder())
	if err != nil {
		t.Fatal(err)
	}
	var produced atomic.Int64 // when a record came last
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.SleepControl(func() {
			time.Sleep(publishDelay)
			produced.Store(time.Now().UnixNano())
		})
		return nil, nil, false // not handled: the broker goes on with it, and this function stays
	})
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.SleepControl(func() {
			// A tick before which no record came has nothing to hand out.
			for began := time.Now(); ; {
				time.Sleep(deliveryTick - time.Duration(time.Now().UnixNano())%deliveryTick)
				if time.Now().UnixNano()-produced.Load() <= int64(deliveryTick) || time.Since(began) >= longestFetch {
					return
				}
			}
		})
		request.(*kmsg.FetchRequest).MaxWaitMillis = 0 // what is not there yet waits for the next tick
		return nil, nil, false
	})
	return cluster
}

// virtually runs a lab in virtual time, on a network in memory and with a broker that takes its time. Change says what
// is special about the run; the rest is one order of each form, so far apart that no two of them meet.
func virtually(t *testing.T, change func(*lab.Config), check func(*testing.T, *lab.Result)) {
	t.Helper()
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		cluster := startVirtualBroker(t, network)
		defer func() {
			time.Sleep(longestFetch + deliveryTick) // for the requests that it made wait: kfake's lock is never free again for one that waits when it closes
			cluster.Close()
			time.Sleep(deliveryTick)
		}()
		config := lab.Config{
			OneRate: true, Orders: 1, WarmUp: 1, Windows: 1, Rate: 8, Seed: 1, Out: out, Version: "test",
			Network: network.network(), Kafka: cluster.ListenAddrs(),
		}
		config.Progress = alignWarmUp
		change(&config)
		result, err := lab.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		check(t, result)
	})
}

// alignWarmUp lets the orders begin at a whole tenth of a second: how long the consumers' groups took to form would
// otherwise decide how far the first order is from the broker's next delivery.
func alignWarmUp(at lab.Progress) {
	if at.Stage == lab.StageWarmUp {
		time.Sleep(100*time.Millisecond - time.Duration(time.Now().UnixNano())%(100*time.Millisecond))
	}
}

// group reads the complete journeys of one form back from the run's directory.
func group(t *testing.T, result *lab.Result, form services.Form) []*drawn {
	t.Helper()
	return groupOf(t, result, form, topicPrefix(result))
}

// groupOf does so for services whose topics have another prefix than the run's own.
func groupOf(t *testing.T, result *lab.Result, form services.Form, prefix string) []*drawn {
	t.Helper()
	run, ok, err := rundir.Open(result.Dir)
	if err != nil || !ok {
		t.Fatalf("open %s: %v, a run directory: %v", result.Dir, err, ok)
	}
	g, warnings, err := run.Group(string(form))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Logf("%s: %s", form, w)
	}
	g, _ = g.Whole()
	list := make([]*drawn, len(g.Journeys))
	for i, j := range g.Journeys {
		list[i] = &drawn{j, prefix}
	}
	return list
}

// topicPrefix is what a run puts in front of topics and groups on a broker that the lab did not start.
func topicPrefix(result *lab.Result) string { return "tracelab." + result.Run + "." }
