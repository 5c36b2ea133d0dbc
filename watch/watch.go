package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"tracelab/internal/batches"
	"tracelab/internal/poll"
	"tracelab/watch/actor"
	"tracelab/watch/intake"
)

const (
	startTimeout   = 10 * time.Second // for the broker's first answer and the group's topics
	closeTimeout   = 30 * time.Second // to settle and commit when a watcher ends
	reportInterval = time.Minute
	lookInterval   = time.Second // between two checks for the input topic, or for the end
	cutGrace       = time.Second // for requests in flight, when the clients close
)

// watcher is one process of the group.
type watcher struct {
	config  Config
	began   time.Time
	trouble trouble
	fail    context.CancelCauseFunc

	in, work stage
	intake   *intake.Reader
	marks    *kgo.Client
	guard    *batches.Guard // of marks
	gateLock sync.Mutex
	gate     *gate
	sums     tally
}

// now returns the time since the watcher's start.
func (w *watcher) now() time.Duration { return time.Since(w.began) }

// Run watches until the context ends, or with Config.UntilEnd until all is judged; neither is an error. It returns the sums even with an error.
func Run(ctx context.Context, config Config) (Sums, error) {
	if err := config.Check(); err != nil {
		return Sums{}, err
	}
	config = config.withDefaults()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	w := &watcher{config: config, began: time.Now(), fail: fail, intake: intake.New()}
	w.trouble = trouble{log: config.Logger, fail: fail, often: rate.Sometimes{First: 1, Interval: logInterval}}
	w.gate = newGate(0)
	if err := w.measure(); err != nil {
		return Sums{}, err
	}
	life, cut := context.WithCancel(context.WithoutCancel(ctx)) // of the clients, which outlive ctx: what was begun is still settled
	defer cut()
	if err := w.prepare(ctx, life); err != nil {
		if context.Cause(ctx) != nil && errors.Is(context.Cause(ctx), context.Canceled) {
			return Sums{}, nil
		}
		return Sums{}, err
	}
	if err := errors.Join(w.openInput(life), w.openWork(life)); err != nil {
		return Sums{}, err
	}
	w.watch(ctx)
	err := context.Cause(ctx)
	if errors.Is(err, errEnd) {
		w.decideRest()
	}
	closing, cancel := context.WithTimeout(life, closeTimeout)
	defer cancel()
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, errEnd) {
		cancel() // commit nothing after a failed write: others begin at the last commit
	}
	for _, s := range []*stage{&w.in, &w.work} {
		s.close(closing)
	}
	context.AfterFunc(closing, cut)
	time.AfterFunc(cutGrace, cut)
	for _, client := range []*kgo.Client{w.in.client, w.work.client, w.marks} {
		client.Close()
	}
	w.in.prepares.Wait()
	w.work.prepares.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, errEnd) {
		err = nil
	}
	return w.total(), err
}

// prepare connects to the broker, creates the missing topics, and opens the marks.
func (w *watcher) prepare(ctx, life context.Context) (err error) {
	w.guard = batches.NewGuard(batchBytes)
	w.marks, err = w.client(life, w.guard, kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.RecordDeliveryTimeout(HoldAfter),
		kgo.ConsumeTopics(w.config.marksTopic()), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer func() {
		if err != nil {
			w.marks.Close()
		}
	}()
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := w.marks.Ping(starting); err != nil {
		return fmt.Errorf("kafka broker %s cannot be reached: start it (task kafka), or name another with --kafka: %w", w.config.brokers(), err)
	}
	admin := kadm.NewClient(w.marks)
	err = poll.Until(starting, metadataMinAge, func(ctx context.Context) error {
		err := w.config.findInput(ctx, admin)
		if err == nil {
			err = w.config.makeTopics(ctx, admin)
		}
		if _, away := errors.AsType[net.Error](err); away || kerr.IsRetriable(err) || kgo.IsRetryableBrokerErr(err) {
			return err // a broker that has answered, and that is restarted just now
		}
		return poll.Stop(err)
	})
	if err != nil {
		return err
	}
	w.in = stage{input: true, topic: w.config.Topic, group: w.config.Group}
	w.work = stage{topic: w.config.workTopic(), group: w.config.workGroup()}
	return nil
}

// watch runs the stages until the context ends.
func (w *watcher) watch(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { w.in.run(ctx, w.readInput) })
	running.Go(func() { w.work.run(ctx, w.readWork) })
	running.Go(func() { w.readMarks(ctx) })
	running.Go(func() { w.writeMarks(ctx) })
	running.Go(func() { w.report(ctx) })
	if w.config.UntilEnd {
		running.Go(func() { w.awaitEnd(ctx) })
	}
	running.Wait()
}

// report calls Config.Report every reportInterval, when the sums have changed.
func (w *watcher) report(ctx context.Context) {
	ticker := time.NewTicker(reportInterval)
	defer ticker.Stop()
	var last Sums
	for {
		select {
		case <-ticker.C:
			if sums := w.total(); sums != last {
				last = sums
				w.config.Report(sums)
			}
		case <-ctx.Done():
			return
		}
	}
}

// total returns the sums up to now.
func (w *watcher) total() Sums {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	var here []actor.Counts
	for _, p := range w.work.parts {
		here = append(here, p.actors.Counts())
	}
	return w.sums.with(here)
}
