//go:build stack

package collector_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/broker"
	"tracelab/internal/parts"
	"tracelab/watch"
)

// ownKafka is an Apache Kafka that a test may restart.
type ownKafka struct {
	t testing.TB
	broker.Broker
	address string
	pid     int
}

func startOwnKafka(t testing.TB) *ownKafka {
	t.Helper()
	k := &ownKafka{t: t, Broker: broker.Broker{Dir: t.TempDir()}}
	k.start()
	t.Cleanup(k.stop)
	if err := broker.MakeTopic(t.Context(), k.address, watch.DefaultTopic, 4, 5<<20); err != nil {
		t.Fatal(err)
	}
	return k
}

// start starts it, the second time at the same address.
func (k *ownKafka) start() {
	k.t.Helper()
	process, err := k.Start(k.t.Context(), k.t.Output())
	if err != nil {
		k.t.Fatal(err)
	}
	k.address, k.pid = process.Address, process.PID
	_, port, _ := strings.Cut(process.Address, ":")
	if k.Port, err = strconv.Atoi(port); err != nil {
		k.t.Fatal(err)
	}
}

func (k *ownKafka) stop() {
	if err := k.Stop(context.Background(), k.t.Output()); err != nil {
		k.t.Error(err)
	}
}

func (k *ownKafka) restart() {
	k.t.Helper()
	k.stop()
	k.start()
}

// watchers are processes of `tracelab watch` in one group.
type watchers struct {
	t       testing.TB
	kafka   string
	flags   []string
	running map[string]*parts.Process
	judged  float64    // journeys in the last metrics of killed watchers
	metrics *collector // where watchers send metrics; nil: nowhere
}

func startWatchers(t testing.TB, kafka string, flags ...string) *watchers {
	return &watchers{t: t, kafka: kafka, flags: flags, running: map[string]*parts.Process{}}
}

func (w *watchers) start(name string, env ...string) {
	w.t.Helper()
	process, err := parts.Start(context.Background(), parts.Command{
		Name: "watcher " + name, Path: programs.tracelab, Log: filepath.Join(w.t.TempDir(), "watcher.log"), Env: env,
		Args: append([]string{"watch", "--kafka", w.kafka, "--instance", name}, w.flags...),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.running[name] = process
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("end of the log of watcher %s:\n%s", name, process.LogTail(20))
		}
		if err := process.Kill(); err != nil {
			w.t.Error(err)
		}
	})
}

// killAndStart kills a watcher with SIGKILL, and starts it again under its name.
func (w *watchers) killAndStart(name string) {
	w.t.Helper()
	if err := w.running[name].Kill(); err != nil {
		w.t.Fatal(err)
	}
	if w.metrics != nil {
		w.judged += w.measured("service_instance_id", name)
	}
	w.start(name)
}

// measured is how many journeys the newest metrics have.
func (w *watchers) measured(labels ...string) float64 {
	w.t.Helper()
	return sum(page(w.t, w.metrics.prometheus), "tracelab_journey_judged", labels...)
}

// awaitMeasured waits until so many journeys are in the metrics of all watchers, of killed ones too, and wants none beyond.
func (w *watchers) awaitMeasured(want int) {
	w.t.Helper()
	awaitSlowly(w.t, "journeys in the metrics", func() error {
		if got := w.judged + w.measured(); got != float64(want) {
			return fmt.Errorf("%.0f, want %d", got, want)
		}
		return nil
	})
}

// awaitCommitted waits until a watcher has exported journeys, and the group has committed all that any of its watchers has exported: the next export is
// seconds away then.
func (w *watchers) awaitCommitted(name string) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	await(w.t, "a commit of what "+name+" exported", func() error {
		commits, err := kadm.NewClient(client).FetchOffsets(w.t.Context(), watch.DefaultGroup+".metrics")
		if err != nil {
			return err
		}
		committed := int64(0)
		commits.Each(func(c kadm.OffsetResponse) { committed += max(c.At, 0) })
		own, all := w.measured("service_instance_id", name), w.judged+w.measured()
		if own == 0 || all != float64(committed) {
			return fmt.Errorf("%.0f exported by it, %.0f by all, of which %d are committed", own, all, committed)
		}
		return nil
	})
}

// watchSums are the sums in a watcher's last two lines: nothing is damaged, incomplete, shared, rootless, evicted or open, and at most some spans were late.
var watchSums = regexp.MustCompile(`(\d+) records read = (?:(\d+) decoded|0); \d+ spans\n(\d+) traces seen = (?:(\d+) judged)?(?: \+ )?(?:(\d+) parts of others)?0?(?:\n\d+ spans late)?$`)

// awaitEnd waits until the group has closed every trace: only then its offsets are committed up to the end.
func (w *watchers) awaitEnd() {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	const group = watch.DefaultGroup + ".work"
	awaitSlowly(w.t, "the end of all traces", func() error {
		lags, err := kadm.NewClient(client).Lag(w.t.Context(), group)
		if err != nil {
			return err
		}
		lag := lags[group]
		if err := lag.Error(); err != nil {
			return err
		}
		if n := lag.Lag.Total(); n > 0 {
			return fmt.Errorf("%d records are not committed", n)
		}
		return nil
	})
}

// stop ends the watchers, and checks their sums. A killed one has taken its own with it.
func (w *watchers) stop() {
	w.t.Helper()
	for name, process := range w.running {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := process.Stop(ctx)
		cancel()
		last := strings.TrimSpace(process.LogTail(3))
		m := watchSums.FindStringSubmatch(last)
		if err != nil || m == nil {
			w.t.Errorf("watcher %s: %v, %s: want nothing damaged, incomplete, shared, rootless, evicted or open", name, err, last)
			continue
		}
		n := make([]int, len(m))
		for i := range n[1:] {
			n[i+1], _ = strconv.Atoi(m[i+1])
		}
		if n[1] != n[2] || n[3] != n[4]+n[5] {
			w.t.Errorf("watcher %s: the sums do not balance: %s", name, last)
		}
		w.t.Logf("watcher %s: %s", name, last)
	}
}
