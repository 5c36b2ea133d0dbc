package intake_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"tracelab/watch/actor"
	"tracelab/watch/intake"
	"tracelab/watch/record"
)

// ordersOfValue is how many orders are in one value: 180 spans.
const ordersOfValue = 10

// BenchmarkStages is both stages in one process without a broker: values are read, their records encoded and decoded as they are on the
// work topic, and handed to one partition of actors, with all that the actors send each other. Nothing is judged: all stay open.
func BenchmarkStages(b *testing.B) {
	for name, rel := range map[string]relation{"one trace": both, "linked traces": linking} {
		for _, orders := range []int{500, 2000, 8000} {
			b.Run(fmt.Sprintf("%s/%d orders", name, orders), func(b *testing.B) {
				var values [][]byte
				for n := 0; n < orders; n += ordersOfValue {
					values = append(values, protobuf(b, batchOf(n, ordersOfValue, rel)))
				}
				spans := orders * len(services) * 3
				var used time.Duration
				for b.Loop() {
					used += measureStages(b, values, spans)
				}
				b.ReportMetric(float64(spans)*float64(b.N)/used.Seconds(), "spans/cpu-s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// measureStages returns the processor time that the spans took, and reports what their actors hold.
func measureStages(b *testing.B, values [][]byte, spans int) time.Duration {
	b.Helper()
	reader, partition := intake.New(), actor.New(actor.Config{})
	heap, before := liveHeap(), cpuTime(b)
	var out []byte
	slim, records := 0, 0
	handle := func(r *record.Record) {
		out = r.Append(out[:0])
		back, err := record.Decode(out)
		if err != nil {
			b.Fatal(err)
		}
		partition.Handle(back, int64(records))
		records++
	}
	for _, value := range values {
		batch := reader.Read(value)
		for i := range batch.Records {
			for _, s := range batch.Records[i].Spans {
				slim += len(s)
			}
			handle(&batch.Records[i])
		}
		sent, _ := partition.Take()
		for len(sent) > 0 {
			for i := range sent {
				handle(&sent[i])
			}
			sent, _ = partition.Take()
		}
	}
	used := cpuTime(b) - before
	counts := partition.Counts()
	b.ReportMetric(float64(slim)/float64(spans), "slim-B/span")
	b.ReportMetric(float64(records)/float64(spans), "records/span")
	b.ReportMetric(float64(counts.Bytes)/float64(spans), "counted-B/span")
	b.ReportMetric(float64(liveHeap()-heap)/float64(spans), "heap-B/span")
	runtime.KeepAlive(partition)
	return used
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
