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

// judgeEvery is the time between two looks at what is due.
const judgeEvery = 500 * time.Millisecond

// verdictsBy is the time by which all journeys are judged: the rest of the window, their traces answer others.
const verdictsBy = 10 * time.Second

// BenchmarkStages is both stages in one process without a broker: values are read, their records encoded and decoded as they are on the
// work topic, and handed to one partition of actors, with all that the actors send each other. Their memory is measured before all are judged, and after
// that, while they are open for the rest of the window.
func BenchmarkStages(b *testing.B) {
	for name, rel := range map[string]relation{"one trace": both, "linked traces": linking} {
		for _, orders := range []int{500, 2000, 8000} {
			b.Run(fmt.Sprintf("%s/%d orders", name, orders), func(b *testing.B) {
				var values [][]byte
				for n := 0; n < orders; n += ordersOfValue {
					values = append(values, protobuf(b, batchOf(n, ordersOfValue, rel)))
				}
				var handled, judged time.Duration
				spans := orders * len(services) * 3
				for b.Loop() {
					h, j := measureStages(b, values, orders)
					handled, judged = handled+h, judged+j
				}
				b.ReportMetric(float64(spans)*float64(b.N)/handled.Seconds(), "spans/cpu-s")
				b.ReportMetric(float64(spans)*float64(b.N)/(handled+judged).Seconds(), "judged-spans/cpu-s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// measureStages returns the processor time that the spans took until they were handled, and what it took then to judge them. It reports what
// the actors of open traces hold.
func measureStages(b *testing.B, values [][]byte, orders int) (handled, judged time.Duration) {
	b.Helper()
	spans := orders * len(services) * 3
	reader, partition := intake.New(), actor.New(actor.Config{})
	heap, before := liveHeap(), cpuTime(b)
	var out []byte
	read, slim, written, records := 0, 0, 0, 0
	handle := func(r *record.Record) {
		out = r.Append(out[:0])
		back, err := record.Decode(out)
		if err != nil {
			b.Fatal(err)
		}
		partition.Handle(back, int64(records))
		records, written = records+1, written+len(out)
	}
	for _, value := range values {
		batch := reader.Read(value)
		read += len(value)
		for i := range batch.Records {
			for _, s := range batch.Records[i].Spans {
				slim += len(s)
			}
			handle(&batch.Records[i])
		}
		exchange(partition, handle)
	}
	handled = cpuTime(b) - before
	counts := partition.Counts()
	b.ReportMetric(float64(read)/float64(spans), "input-B/span")
	b.ReportMetric(float64(slim)/float64(spans), "slim-B/span")
	b.ReportMetric(float64(written)/float64(spans), "work-B/span")
	b.ReportMetric(float64(records)/float64(spans), "records/span")
	b.ReportMetric(float64(counts.Bytes)/float64(spans), "counted-B/span")
	b.ReportMetric(float64(liveHeap()-heap)/float64(spans), "heap-B/span")
	verdicts := 0
	pass := func(from, to time.Duration) {
		before = cpuTime(b)
		for now := from; now < to; now += judgeEvery {
			partition.Advance(actor.Time{Gated: now, Ready: true}, nil)
			verdicts += exchange(partition, handle)
		}
		judged += cpuTime(b) - before
	}
	pass(0, verdictsBy)
	b.ReportMetric(float64(partition.Counts().Bytes)/float64(spans), "counted-judged-B/span")
	b.ReportMetric(float64(liveHeap()-heap)/float64(spans), "heap-judged-B/span")
	pass(verdictsBy, 70*time.Second) // the window, after which the actors close
	if c := partition.Counts(); verdicts != orders || c.Judged != int64(orders) || c.Open > 0 {
		b.Fatalf("%d verdicts of %d orders: %+v", verdicts, orders, c)
	}
	runtime.KeepAlive(partition)
	return handled, judged
}

// exchange hands on what the actors send each other, until they have nothing more to say. It returns the number of verdicts.
func exchange(partition *actor.Partition, handle func(*record.Record)) (verdicts int) {
	for {
		sent, given := partition.Take()
		verdicts += len(given)
		if len(sent) == 0 {
			return verdicts
		}
		for i := range sent {
			handle(&sent[i])
		}
	}
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
