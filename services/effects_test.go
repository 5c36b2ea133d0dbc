package services

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"encoding/json"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
	"tracelab/services/internal/store"
)

// summary asks for the accounts of run r, as the gateway tells them.
func (l *testLab) summary() Summary {
	l.Helper()
	a := l.send(context.Background(), http.MethodGet, "/runs/r", "", nil)
	var s Summary
	if err := json.Unmarshal(a.body, &s); err != nil {
		l.Fatalf("GET /runs/r answered %d %s: %v", a.status, a.body, err)
	}
	return s
}

// onceEach says that every step had its effect once.
func onceEach() map[Step]Effect {
	effects := map[Step]Effect{}
	for _, step := range flows.Order().Steps() {
		effects[step] = Effect{Once: 1}
	}
	return effects
}

// again delivers every record of a topic again, as a broker does after a consumer's death.
func (l *testLab) again(topic string) int {
	l.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.config.Kafka...), kgo.Dialer(l.config.Network.Dial), kgo.DisableClientMetrics(),
		kgo.ConsumeTopics(l.config.Prefix+topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	l.must(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var copies []*kgo.Record
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			copies = append(copies, &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers})
		})
	}
	l.must(client.ProduceSync(context.Background(), copies...).FirstErr())
	return len(copies)
}

// TestAStepThatIsDeliveredAgainIsSkipped: each step has its effect once, what it leads to is handed on again and skipped
// in its turn, the trace says so, and the accounts count it.
func TestAStepThatIsDeliveredAgainIsSkipped(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{Kafka, Hybrid} {
			l.await(l.place(in("r", form), tea).id())
		}
		time.Sleep(time.Second)
		if diff := cmp.Diff(onceEach(), l.summary().Forms[Kafka].Effects); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}
		if n := l.again("stock.reserved"); n != 2 {
			t.Fatalf("%d records came again, want 2", n)
		}
		time.Sleep(5 * time.Second)
		want := onceEach()
		for _, step := range []Step{Charge, Dispatch, Notify, Record} { // orders.Complete: the join has all its branches
			want[step] = Effect{Once: 1, Skipped: 1}
		}
		for _, form := range []Form{Kafka, Hybrid} {
			if diff := cmp.Diff(want, l.summary().Forms[form].Effects); diff != "" {
				t.Errorf("%s: (-want +got):\n%s", form, diff)
			}
			marked := map[Step]int{}
			for step, spans := range l.stepSpans(in("r", form)) {
				for _, span := range spans {
					if attributes(span)[KeyDuplicate].AsBool() {
						marked[step]++
						if took := span.EndTime().Sub(span.StartTime()); took > time.Millisecond {
							t.Errorf("%s: %s took %v though it was skipped", form, step, took)
						}
					}
				}
			}
			if diff := cmp.Diff(map[Step]int{Charge: 1, Dispatch: 1, Notify: 1, Record: 1}, marked); diff != "" {
				t.Errorf("%s: spans marked as duplicates (-want +got):\n%s", form, diff)
			}
		}
	})
}

// TestWithoutDedupeStepsAreDoneAgain, and the accounts count them as done twice.
func TestWithoutDedupeStepsAreDoneAgain(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.await(l.place(in("r", Kafka), tea).id())
		l.again("payment.captured")
		time.Sleep(5 * time.Second)
		want := onceEach()
		for _, step := range []Step{Dispatch, Notify, Record} {
			want[step] = Effect{Twice: 1}
		}
		if diff := cmp.Diff(want, l.summary().Forms[Kafka].Effects); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for step, spans := range l.stepSpans(in("r", Kafka)) {
			if _, repeated := map[Step]bool{Dispatch: true, Notify: true, Record: true}[step]; repeated && !attributes(spans[1])[KeyDuplicate].AsBool() {
				t.Errorf("the second span of %s is not marked as a duplicate", step)
			}
		}
	}, func(c *Config) { c.NoDedupe = true })
}

// TestARepeatCarriesOn where the first handling ended between its effect and the next message: the effect is skipped,
// the order is completed.
func TestARepeatCarriesOn(t *testing.T) {
	effects := NewStore(mostOrders)
	inBubble(t, func(l *testLab) {
		id := "0000-died-in-between"
		if _, err := effects.kept.Put(l.Context(), id, string(Charge), 7); err != nil {
			t.Fatal(err)
		}
		e := in("r", Kafka)
		en, _, failed := l.system.keeper.ledger.begin(l.Context(), e, "", anOrder("", "tea-green", "1"), id)
		if failed != nil {
			t.Fatal(failed)
		}
		if failed := l.system.keeper.ledger.accept(l.Context(), en, acceptance{}); failed != nil {
			t.Fatal(failed)
		}
		ctx, err := e.WithBaggage(l.Context())
		l.must(err)
		var inventory *node
		for _, n := range l.system.nodes {
			if n.name == Inventory {
				inventory = n
			}
		}
		order := anOrder(id, "tea-green", "1")
		l.must(inventory.brokers[flows.KafkaLog].Publish(ctx, "stock.reserved", &orderpb.Event{Order: order, Steps: []string{string(Reserve)}}))
		if s := l.await(id); s.Status != Completed {
			t.Errorf("%+v, want it completed", s)
		}
		time.Sleep(time.Second)
		if got := l.summary().Forms[Kafka].Effects[Charge]; got != (Effect{Once: 1, Skipped: 1}) {
			t.Errorf("%+v, want one effect, of the handling that told nobody, and one skipped", got)
		}
	}, func(c *Config) { c.Store = effects })
}

// TestARestartRemembers with a file: what came before the end is not done again by the next process.
func TestARestartRemembers(t *testing.T) {
	t.Parallel() // most of it is waiting
	path := filepath.Join(t.TempDir(), "effects")
	open := func() *Store {
		effects, err := OpenStore(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return effects
	}
	effects := open()
	onLoopback(t, func(l *testLab) {
		for number := range 5 {
			e := in("r", Kafka)
			e.Number = number
			l.await(l.place(e, tea).id())
		}
		l.must(l.stop(patience))
		l.must(effects.Close())
		effects = open()
		l.config.Store = effects
		l.start()
		before := len(l.endedSteps(Dispatch))
		l.again("payment.captured")
		l.until("the repeats are skipped", func() bool { return len(l.endedSteps(Dispatch)) == before+5 })
		for _, span := range l.endedSteps(Dispatch)[before:] {
			if !attributes(span)[KeyDuplicate].AsBool() {
				t.Error("a step was done again after the restart")
			}
		}
		l.until("the repeats are counted in the accounts, which the file has kept", func() bool {
			s := l.summary()
			return s.Forms[Kafka].Effects[Dispatch] == Effect{Once: 5, Skipped: 5} && s.Forms[Kafka].Completed == 5 && s.Orders.UnknownMessages == 0
		})
		l.must(l.stop(patience))
	}, func(c *Config) { c.Store = effects })
	if err := effects.Close(); err != nil {
		t.Error(err)
	}
}

// failingNotes cannot note.
type failingNotes struct{ store.Store }

// Put fails.
func (failingNotes) Put(context.Context, string, string, uint64) (uint64, error) {
	return 0, fmt.Errorf("disk full")
}

// TestAnEffectThatCannotBeNoted is none: the call is refused, the message is not finished.
func TestAnEffectThatCannotBeNoted(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		a := l.place(in("r", GRPC), tea)
		if a.status != http.StatusServiceUnavailable {
			t.Errorf("answered %d %s, want 503", a.status, a.body)
		}
		if a := l.place(in("r", Kafka), tea); a.status != http.StatusAccepted {
			t.Errorf("answered %d %s, want 202", a.status, a.body)
		}
		time.Sleep(5 * time.Second)
		if s := l.summary().Forms[Kafka]; s.Pending != 1 {
			t.Errorf("%+v, want the order pending: its message is not finished", s)
		}
	}, func(c *Config) {
		c.Store = newStore(failingNotes{store.NewMemory(store.Limits{Units: 10, Effects: 10})}, 10)
	})
}

// TestHandlingsAreCountedOnce however often they are told, and in whatever order.
func TestHandlingsAreCountedOnce(t *testing.T) {
	l := aLedger(mostOrders)
	begun(t, l, "a")
	h := func(id, repeats uint64) *orderpb.Handling {
		return &orderpb.Handling{Step: string(Charge), Id: id, Repeats: repeats}
	}
	for _, c := range []struct {
		told []*orderpb.Handling
		want Effect
	}{
		{[]*orderpb.Handling{h(1, 0)}, Effect{Once: 1}},
		{[]*orderpb.Handling{h(1, 0), h(1, 0)}, Effect{Once: 1}},
		{[]*orderpb.Handling{h(2, 1)}, Effect{Once: 1, Skipped: 1}},
		{[]*orderpb.Handling{h(2, 1)}, Effect{Once: 1, Skipped: 1}},
		{[]*orderpb.Handling{h(4, 3)}, Effect{Twice: 1, Skipped: 2}}, // 3 had an effect and told nobody
		{[]*orderpb.Handling{h(3, 0), {Step: "payment.Refund", Id: 9}}, Effect{Twice: 1, Skipped: 2}},
		{[]*orderpb.Handling{h(5, 0)}, Effect{Twice: 1, Skipped: 2}},
	} {
		l.hears("a", c.told...)
		if got := l.sumsOf("r").Forms[Kafka].Effects; len(got) != 1 || got[Charge] != c.want {
			t.Errorf("after %v: %+v, want %+v", c.told, got, c.want)
		}
	}
	for id := range uint64(1000) {
		l.hears("a", h(id+100, 0))
	}
	if n := len(unitOf(t, l, "a").Handlings); n > handlingsOfStep*len(flows.Order().Rows) {
		t.Errorf("%d handlings are kept, want at most %d for each step", n, handlingsOfStep)
	}
}

// TestRepeatsLeaveRoomForEffects: an order whose messages have come again very often has every effect counted, also one that only a repeat tells of.
func TestRepeatsLeaveRoomForEffects(t *testing.T) {
	l := aLedger(mostOrders)
	begun(t, l, "a")
	for id := range uint64(1000) {
		l.hears("a", &orderpb.Handling{Step: string(Charge), Id: id + 100, Repeats: 1})
	}
	l.hears("a", &orderpb.Handling{Step: string(Dispatch), Id: 2}, &orderpb.Handling{Step: string(Notify), Id: 4, Repeats: 3})
	effects := l.sumsOf("r").Forms[Kafka].Effects
	if effects[Charge].Once != 1 || effects[Dispatch].Once != 1 || effects[Notify].Once != 1 {
		t.Errorf("effects %+v, want each once", effects)
	}
}

// unitOf is what the store has of an order.
func unitOf(t *testing.T, l *testLedger, id string) *store.Unit {
	t.Helper()
	u, err := l.store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// endedSteps are the ended spans of a step, by their end.
func (l *testLab) endedSteps(step Step) []sdktrace.ReadOnlySpan {
	var spans []sdktrace.ReadOnlySpan
	for _, span := range l.ended() {
		if span.Name() == string(step) {
			spans = append(spans, span)
		}
	}
	return spans
}
