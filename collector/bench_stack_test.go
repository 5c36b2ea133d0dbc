//go:build stack

package collector_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tracelab/services"
	"tracelab/services/flows"
)

// BenchmarkCallerWait shows what trouble behind the services costs their callers: 80 orders a second over all forms, as intended start times.
//
//	go test -tags stack -run '^$' -bench CallerWait -benchtime 4800x ./collector/     # a minute each
func BenchmarkCallerWait(b *testing.B) {
	b.Run("all is well", func(b *testing.B) {
		c := startCollector(b, collectorOptions{jaeger: startJaeger(b).otlp})
		benchOrders(b, startServices(b, c.otlp))
		reportMemory(b, c)
	})
	b.Run("Jaeger away", func(b *testing.B) {
		j := newJaeger(b)
		c := startCollector(b, collectorOptions{jaeger: j.otlp})
		s := startServices(b, c.otlp)
		benchOrders(b, s)
		counts, _ := s.end(b)
		reportMemory(b, c)
		began := time.Now()
		j.start(b)
		await(b, "the spans are in Jaeger", func() error {
			return c.hasSums(b, spanSums{accepted: float64(counts.Exported), sent: float64(counts.Exported)})
		})
		b.ReportMetric(time.Since(began).Seconds(), "s-to-arrive")
		b.ReportMetric(float64(counts.Exported), "spans")
		b.ReportMetric(float64(counts.Dropped), "dropped")
	})
	b.Run("Collector silent", func(b *testing.B) {
		s := startServices(b, silentListener(b))
		benchOrders(b, s)
		counts, took := s.end(b)
		b.ReportMetric(took.Seconds(), "s-to-end")
		b.ReportMetric(float64(counts.Dropped), "dropped")
	})
}

// benchOrders places b.N orders and reports the caller waits of the forms that answer at the end, and of those that answer at acceptance.
func benchOrders(b *testing.B, s *system) {
	b.Helper()
	s.place(b, "warm", 10)
	const interval = time.Second / 80
	var mu sync.Mutex
	waits := map[string][]time.Duration{}
	var orders sync.WaitGroup
	began := time.Now()
	for i := range b.N {
		time.Sleep(time.Until(began.Add(time.Duration(i) * interval)))
		form := flows.Order().DefaultForms()[i%4]
		orders.Go(func() {
			took := s.one(b, "bench", form, i/4)
			group := "call"
			if form == services.Kafka {
				group = "message"
			}
			mu.Lock()
			defer mu.Unlock()
			waits[group] = append(waits[group], took)
		})
	}
	orders.Wait()
	for group, all := range waits {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2].Seconds()*1e3, fmt.Sprintf("p50-%s-ms", group))
		b.ReportMetric(all[len(all)*99/100].Seconds()*1e3, fmt.Sprintf("p99-%s-ms", group))
	}
}

func reportMemory(b *testing.B, c *collector) {
	b.Helper()
	all := page(b, c.metrics)
	b.ReportMetric(sum(all, "otelcol_process_memory_rss")/1e6, "collector-MB")
	b.ReportMetric(sum(all, "otelcol_exporter_queue_size"), "queued")
}
