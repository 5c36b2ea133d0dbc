//go:build stack

package collector_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
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
	starts  map[string]int // how often each was started
	metrics *collector     // where watchers send metrics; nil: nowhere
	judged  float64        // journeys in the last metrics of killed watchers
	unsure  float64        // of them, those of exports between a look at the commits and a kill: without a commit, the next watcher counts them, too
}

func startWatchers(t testing.TB, kafka string, flags ...string) *watchers {
	return &watchers{t: t, kafka: kafka, flags: flags, running: map[string]*parts.Process{}, starts: map[string]int{}}
}

// start starts a watcher. Its metrics say which start of that name it is: the Collector goes on showing the last figures of a process that is gone, and one
// that comes back when all is counted has none to take their place.
func (w *watchers) start(name string, env ...string) {
	w.t.Helper()
	w.starts[name]++
	process, err := parts.Start(context.Background(), parts.Command{
		Name: "watcher " + name, Path: programs.tracelab, Log: filepath.Join(w.t.TempDir(), "watcher.log"),
		Env:  append([]string{fmt.Sprintf("OTEL_RESOURCE_ATTRIBUTES=start=%d", w.starts[name])}, env...),
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

// killAndStart kills a watcher with SIGKILL, when all that was exported is committed, and starts it again under its name.
func (w *watchers) killAndStart(name string) {
	w.t.Helper()
	exported := 0.0
	if w.metrics != nil {
		exported = w.awaitCommitted(name)
	}
	if err := w.running[name].Kill(); err != nil {
		w.t.Fatal(err)
	}
	if w.metrics != nil {
		left := w.measured(name)
		w.judged += left
		w.unsure += left - exported
	}
	w.start(name)
}

// measured is how many journeys the newest metrics of a watcher have, since its start.
func (w *watchers) measured(name string) float64 {
	w.t.Helper()
	return w.sumOf(page(w.t, w.metrics.prometheus), name)
}

func (w *watchers) sumOf(all []series, name string) float64 {
	return sum(all, "tracelab_journey_judged", "service_instance_id", name, "start", strconv.Itoa(w.starts[name]))
}

// counted is how many journeys are in the metrics of all watchers, of killed ones too, and how many the group of those who count has committed.
func (w *watchers) counted(ctx context.Context) (all, committed float64, err error) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.kafka))
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	commits, err := kadm.NewClient(client).FetchOffsets(ctx, watch.DefaultGroup+".metrics")
	if err != nil {
		return 0, 0, err
	}
	commits.Each(func(c kadm.OffsetResponse) { committed += float64(max(c.At, 0)) })
	all = w.judged
	now := page(w.t, w.metrics.prometheus)
	for name := range w.running {
		all += w.sumOf(now, name)
	}
	return all, committed, nil
}

// awaitCommitted waits until all that watchers exported is committed, and returns how much of it is of one of them.
func (w *watchers) awaitCommitted(name string) (exported float64) {
	w.t.Helper()
	await(w.t, "commits of what was exported", func() error {
		exported = w.measured(name)
		all, committed, err := w.counted(w.t.Context())
		if err != nil {
			return err
		}
		if all < committed || all > committed+w.unsure {
			return fmt.Errorf("%.0f journeys in the metrics, of which %.0f are committed and up to %.0f count twice", all, committed, w.unsure)
		}
		return nil
	})
	return exported
}

// awaitStart waits until a watcher that was started has sent metrics, which is seconds after it has found Kafka.
func (w *watchers) awaitStart(name string) {
	w.t.Helper()
	await(w.t, "the start of "+name, func() error {
		start := strconv.Itoa(w.starts[name])
		if !slices.ContainsFunc(page(w.t, w.metrics.prometheus), func(s series) bool { return s.labels["service_instance_id"] == name && s.labels["start"] == start }) {
			return errors.New("no metrics of it")
		}
		return nil
	})
}

// awaitExport waits until a watcher has exported journeys.
func (w *watchers) awaitExport(name string) {
	w.t.Helper()
	await(w.t, "an export of "+name, func() error {
		if w.measured(name) == 0 {
			return errors.New("no journeys in its metrics")
		}
		return nil
	})
}

// awaitMeasured waits until so many journeys are in the metrics of all watchers, of killed ones too, and committed, and wants none beyond, but for those of
// exports in whose milliseconds a kill came.
func (w *watchers) awaitMeasured(want int) {
	w.t.Helper()
	awaitSlowly(w.t, "journeys in the metrics", func() error {
		all, committed, err := w.counted(w.t.Context())
		if err != nil {
			return err
		}
		if n := float64(want); committed != n || all < n || all > n+w.unsure {
			return fmt.Errorf("%.0f in the metrics, %.0f committed, want %d, and up to %.0f twice", all, committed, want, w.unsure)
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
