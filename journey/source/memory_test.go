package source_test

import (
	"bytes"
	"runtime"
	"testing"

	"tracelab/journey/source"
)

// BenchmarkMemory reports what a span takes once it is read: ten attributes and a link each, as in BenchmarkRead.
func BenchmarkMemory(b *testing.B) {
	in := bytes.Repeat(lines(), 25) // 50,000 spans
	for b.Loop() {
		before := heap()
		r, err := source.Read(bytes.NewReader(in), "bench")
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/float64(len(r.Spans)), "B/span")
		runtime.KeepAlive(r)
	}
}

// heap returns the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
