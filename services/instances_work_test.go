package services

import (
	"slices"
	"strings"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A commit waits without virtual time while its group changes hands, so what has several members in a group is tested in real time.

// TestInstancesShareTheWork: each of four consumers with one worker has a part of the orders, one at a time, and calls are shared out, too. When one
// is stopped and started again in between, no order is lost, and each step is done once: instances share what their service remembers.
func TestInstancesShareTheWork(t *testing.T) {
	t.Parallel() // most of it is waiting
	onLoopback(t, func(l *testLab) {
		var mu sync.Mutex
		var ids []string
		place := func(form Form, from, to int) {
			var clients sync.WaitGroup
			for number := from; number < to; number++ {
				clients.Go(func() {
					e := in("r", form)
					e.Number = number
					id := l.place(e, tea).id()
					mu.Lock()
					defer mu.Unlock()
					ids = append(ids, id)
				})
			}
			clients.Wait()
		}
		place(GRPC, 0, 16)
		// A group hands over its partitions one after another: at first, a member may have none.
		orders := 0
		l.until("each instance has a part of the orders of both forms", func() bool {
			place(Kafka, orders, orders+16)
			orders += 16
			return len(l.chargedBy()) == 8
		})
		l.must(l.system.Stop(l.Context(), Payment+"/2"))
		if runs, _ := l.system.Running(Payment + "/2"); runs || len(l.system.running()) != len(Names())+2 {
			t.Errorf("%d instances run", len(l.system.running()))
		}
		place(Kafka, orders, orders+32)
		orders += 32
		l.must(l.system.Start(l.Context(), Payment)) // those that do not run
		l.must(l.system.Ready(l.Context()))
		for _, id := range ids {
			if s := l.await(id); s.Status != Completed {
				t.Errorf("%+v", s)
			}
		}
		l.until("each step is counted once", func() bool {
			a := l.summary().Forms[Kafka]
			return a.Effects[Charge].Once == orders && a.Effects[Charge].Twice == 0 && a.Effects[Charge].Skipped == 0
		})
		l.checkCharges()
		if err := l.system.Kill(Payment + "/5"); err == nil {
			t.Error("an instance that there is not was killed")
		}
	}, func(c *Config) { c.Instances, c.WorkersOf = map[string]int{Payment: 4}, map[string]int{Payment: 1} })
}

// chargedBy are the instances of payment that have charged something, each with a form, and what they did. One that was started again is the same.
func (l *testLab) chargedBy() map[string][]sdktrace.ReadOnlySpan {
	seen := map[string][]sdktrace.ReadOnlySpan{}
	for _, span := range l.ended() {
		if span.Name() != string(Charge) {
			continue
		}
		value, _ := span.Resource().Set().Value("service.instance.id")
		key := attributes(span)[KeyForm].AsString() + " " + strings.TrimSuffix(value.AsString(), "-2")
		seen[key] = append(seen[key], span)
	}
	return seen
}

// checkCharges holds that four instances of payment do one thing at a time.
func (l *testLab) checkCharges() {
	l.Helper()
	by := map[string][]sdktrace.ReadOnlySpan{}
	for key, spans := range l.chargedBy() {
		_, instance, _ := strings.Cut(key, " ")
		by[instance] = append(by[instance], spans...)
	}
	for instance, spans := range by {
		slices.SortFunc(spans, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
		for i := range spans[1:] {
			if spans[i+1].StartTime().Before(spans[i].EndTime()) {
				l.Errorf("%s has one worker, and charges two orders at a time", instance)
			}
		}
	}
}
