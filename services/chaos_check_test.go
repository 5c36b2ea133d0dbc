package services

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/testkit"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/store"
)

// stepTally counts the ended spans of steps by form: every handling that a service has ended before it was killed.
type stepTally struct {
	mu    sync.Mutex
	spans map[Form]map[Step]int
}

func newStepTally() *stepTally { return &stepTally{spans: map[Form]map[Step]int{}} }

// OnStart does nothing.
func (*stepTally) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd counts a step's span.
func (s *stepTally) OnEnd(span sdktrace.ReadOnlySpan) {
	a := attributes(span)
	step, ok := a[KeyStep]
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	form := Form(a[KeyForm].AsString())
	if s.spans[form] == nil {
		s.spans[form] = map[Step]int{}
	}
	s.spans[form][Step(step.AsString())]++
}

// Shutdown does nothing: the services that end share the tally with others.
func (*stepTally) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing.
func (*stepTally) ForceFlush(context.Context) error { return nil }

func (s *stepTally) of(form Form, step Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spans[form][step]
}

// settle waits until all services are back, every order has ended or is known as lost, every message is sent and every record committed.
func (c *chaos) settle() {
	testkit.Await(c, "every order ends", chaosSettle, func(ctx context.Context) error {
		if err := c.system.Ready(ctx); err != nil {
			return err
		}
		if err := c.second.Ready(ctx); err != nil {
			return err
		}
		for form, a := range c.accounts(ctx) {
			if a.Pending != a.Lost {
				return fmt.Errorf("%s: %d of %d are pending, and %d lost", form, a.Pending, a.Accepted, a.Lost)
			}
		}
		waiting, err := c.config.Store.kept.Backlog(ctx)
		if err != nil {
			return err
		}
		if waiting > 0 {
			return fmt.Errorf("%d messages in the outbox", waiting)
		}
		return c.behind(ctx)
	})
}

// accounts are the accounts of the run, from the store.
func (c *chaos) accounts(ctx context.Context) map[Form]Accounts {
	sums, err := c.config.Store.kept.Sums(ctx, "r")
	c.must(err)
	lost, err := c.config.Store.kept.Lost(ctx, "r")
	c.must(err)
	all := map[Form]Accounts{}
	for form, s := range sums {
		a := accountsOf(s)
		a.Lost = lost[form]
		all[Form(form)] = a
	}
	return all
}

// behind is an error that names a group which has records to commit.
func (c *chaos) behind(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.config.Kafka...), kgo.DisableClientMetrics())
	if err != nil {
		return err
	}
	defer client.Close()
	lags, err := kadm.NewClient(client).Lag(ctx)
	if err != nil {
		return err
	}
	var behind error
	lags.Each(func(d kadm.DescribedGroupLag) {
		if n := d.Lag.Total(); n > 0 {
			behind = fmt.Errorf("%s has %d records to commit", d.Group, n)
		}
		if err := d.Error(); err != nil {
			behind = fmt.Errorf("%s: %w", d.Group, err)
		}
	})
	return behind
}

// check checks what became of the orders.
func (c *chaos) check() {
	units := c.units()
	accepted := map[Form]int{}
	for _, p := range c.answers {
		if p.status/100 != 2 {
			continue
		}
		accepted[p.form]++
		if u := units[p.id]; u == nil || u.Status != string(Completed) {
			c.Errorf("%s: order %s was answered %d and is lost: %+v", p.form, p.id, p.status, u)
		}
	}
	if pairs, wrong := c.order.wrong(); wrong != "" || pairs < len(units) {
		c.Errorf("of %d pairs of messages with one key: %s", pairs, wrong)
	}
	told := c.told(units)
	for form, a := range c.accounts(c.Context()) {
		c.Logf("%s: %d accepted (%d of them by the client's answers) = %d completed + %d failed + %d pending", form, a.Accepted, accepted[form], a.Completed, a.Failed, a.Pending)
		if a.Accepted < accepted[form] || a.Accepted == 0 || form != Hybrid && a.Completed != a.Accepted {
			c.Errorf("%s: accounts %+v, %d accepted by the client's answers", form, a, accepted[form])
		}
		for _, step := range flows.Order().Steps() {
			c.checkStep(form, step, a, told[form][step])
		}
	}
}

// checkStep: the effect was had once for each order that completed, and each handling that was told of is counted, as the first or as a repeat.
// More have ended: those of services that were killed before they told.
func (c *chaos) checkStep(form Form, step Step, a Accounts, told map[uint64]bool) {
	effect, handled := a.Effects[step], c.tally.of(form, step)
	untold := handled - effect.Once - effect.Skipped
	c.Logf("%s: %-20s handled %d times = %d once + %d skipped as repeats + %d not told of", form, step, handled, effect.Once, effect.Skipped, untold)
	if effect.Twice != 0 || effect.Once < a.Completed || effect.Once > a.Accepted || untold < 0 {
		c.Errorf("%s: %s: %+v of %d accepted and %d completed, want each once", form, step, effect, a.Accepted, a.Completed)
	}
	if step.Service() != Orders && form != Hybrid && len(told) != effect.Once+effect.Skipped {
		c.Errorf("%s: %s: %d handlings in the messages, and %d + %d counted", form, step, len(told), effect.Once, effect.Skipped)
	}
}

// units are all orders of the run, by id.
func (c *chaos) units() map[string]*store.Unit {
	all := map[string]*store.Unit{}
	for after := uint64(0); ; {
		page, next, err := c.config.Store.kept.Page(c.Context(), "r", after, MaxPage)
		c.must(err)
		for _, u := range page {
			all[u.ID] = u
		}
		if next == 0 {
			return all
		}
		after = next
	}
}

// told are the handlings that the messages to orders tell of, by form and step. A key has its messages on one partition, each of them once: a
// connection that is cut sends none twice.
func (c *chaos) told(units map[string]*store.Unit) map[Form]map[Step]map[uint64]bool {
	told, at := map[Form]map[Step]map[uint64]bool{}, map[string]int32{}
	c.eachRecord("order.fulfilled", func(r *kgo.Record) {
		event, err := carrier.DecodeEvent(r.Value)
		c.must(err)
		u := units[event.GetOrder().GetId()]
		if before, ok := at[string(r.Key)]; u == nil || string(r.Key) != u.ID || ok && before != r.Partition {
			c.Fatalf("a message of the order %+v has the key %q and is on partition %d, before %d", u, r.Key, r.Partition, before)
		}
		at[string(r.Key)] = r.Partition
		form := Form(u.Form)
		if told[form] == nil {
			told[form] = map[Step]map[uint64]bool{}
		}
		for _, h := range event.GetHandlings() {
			step := Step(h.GetStep())
			if told[form][step] == nil {
				told[form][step] = map[uint64]bool{}
			}
			told[form][step][h.GetId()] = true
			if repeats := h.GetRepeats(); repeats != 0 {
				told[form][step][repeats] = true
			}
		}
	})
	return told
}

// eachRecord reads a topic from its start to its end.
func (c *chaos) eachRecord(topic string, f func(*kgo.Record)) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.config.Kafka...), kgo.DisableClientMetrics(),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	c.must(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(c.Context(), chaosSettle)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	c.must(err)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		fetches := client.PollFetches(ctx)
		c.must(fetches.Err0())
		fetches.EachRecord(func(r *kgo.Record) { left--; f(r) })
	}
}
