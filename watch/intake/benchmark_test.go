package intake_test

import (
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey/source"
	"tracelab/watch/intake"
	"tracelab/watch/record"
)

// What the first stage takes for values of 18 spans, of 180 and of 3,600 (a batch of the collector is 8,192 at most by default), and what
// the other ways take in the same run: pdata's bare decode, and the spans of pdata made slim. On a busy machine look at spans/cpu-s: spans
// by the processor time that the process got, with its garbage collection.
func BenchmarkIntake(b *testing.B) {
	for _, shape := range []struct {
		name   string
		traces int
	}{{"18", 1}, {"180", 10}, {"3600", 200}} {
		all := batch(shape.traces)
		for encoding, value := range map[string][]byte{"protobuf": protobuf(b, all), "JSON": json(b, all)} {
			spans := all.SpanCount()
			run := func(name string, read func() int) {
				b.Run(shape.name+"/"+encoding+"/"+name, func(b *testing.B) {
					b.ReportAllocs()
					before := cpuTime(b)
					for b.Loop() {
						if n := read(); n != spans {
							b.Fatalf("%d spans, want %d", n, spans)
						}
					}
					b.ReportMetric(float64(spans)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
					b.ReportMetric(float64(spans)*float64(b.N)/(cpuTime(b)-before).Seconds(), "spans/cpu-s")
				})
			}
			reader := intake.New()
			run("intake", func() int { return reader.Read(value).Spans })
			var out []byte
			run("and write", func() int { // the bytes of the records, too
				batch := reader.Read(value)
				for i := range batch.Records {
					out = batch.Records[i].Append(out[:0])
				}
				return batch.Spans
			})
			decode := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces
			if encoding == "JSON" {
				decode = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces
			}
			run("pdata", func() int {
				traces, err := decode(value)
				if err != nil {
					b.Fatal(err)
				}
				return traces.SpanCount()
			})
			run("pdata made slim", func() int {
				traces, err := decode(value)
				if err != nil {
					b.Fatal(err)
				}
				spans := source.FromTraces(traces, "")
				for i := range spans {
					out = record.AppendSpan(out[:0], &spans[i])
				}
				return len(spans)
			})
		}
	}
}

// cpuTime is the processor time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
