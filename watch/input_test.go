package watch

import (
	"testing"

	"tracelab/watch/record"
)

// TestRecordsAreMadeOnce: the size that is taken for a record is enough, and not much more.
func TestRecordsAreMadeOnce(t *testing.T) {
	long := make([]byte, 70_000)
	for _, r := range []record.Record{
		{Kind: record.Span, Spans: [][]byte{long[:200], long[:10], long}},
		{Kind: record.Tell, Spans: [][]byte{long[:100]}, Stubs: [][]byte{long[:20], long[:30]}, Roots: []record.Root{{First: 1 << 62}, {Orphan: true, First: -1}}},
		{Kind: record.Give},
	} {
		if size, bytes := sizeOf(&r), len(r.Append(nil)); bytes > size || size > bytes+80 {
			t.Errorf("%d bytes for a record of %d", size, bytes)
		}
	}
}
