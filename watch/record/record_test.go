package record_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/watch/record"
)

func drawTrace(t *rapid.T) (id journey.TraceID) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace"))
	return id
}

func TestRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 4)
		want := record.Record{Kind: record.Kind(rapid.IntRange(1, 4).Draw(t, "kind")), To: drawTrace(t), Spans: list.Draw(t, "spans"), Stubs: list.Draw(t, "stubs"),
			More: rapid.Bool().Draw(t, "more"), Judge: rapid.Bool().Draw(t, "judge"), Reach: rapid.Bool().Draw(t, "reach"),
			Roots: []record.Root{{Trace: drawTrace(t), Orphan: true, First: rapid.Int64().Draw(t, "first")}, {First: -1}}}
		if want.Kind != record.Span {
			want.From, want.Of, want.Version = drawTrace(t), journey.SpanID{1}, rapid.Uint64().Draw(t, "version")
		}
		if want.Kind == record.Give {
			want.Back = []journey.SpanID{{2}, {3}}
		}
		bytes := want.Append(nil)
		got, err := record.Decode(bytes)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v\nwant %+v", got, err, want)
		}
		for n := range bytes {
			if _, err := record.Decode(bytes[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes were read without an error", n, len(bytes))
			}
		}
	})
}

func TestPartitionsAreEven(t *testing.T) {
	var count [32]int
	for k := range 32_000 {
		count[record.Partition(journey.TraceID{0: byte(k >> 8), 15: byte(k)}, 32)]++
	}
	for number, n := range count {
		if n < 500 || n > 1500 {
			t.Errorf("partition %d has %d of 32,000 traces with ids in sequence", number, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	s := slimmest()
	r := record.Record{Kind: record.Give, Spans: [][]byte{record.AppendSpan(nil, &s)}, Roots: []record.Root{{}}}
	f.Add(r.Append(nil))
	f.Add(record.AppendSpan(nil, &s))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := record.Decode(b); err == nil {
			again, err := record.Decode(r.Append(nil))
			if err != nil || !reflect.DeepEqual(again, r) {
				t.Errorf("%+v, %v; want %+v", again, err, r)
			}
		}
		if s, err := record.DecodeSpan(b); err == nil {
			if _, err := record.DecodeSpan(record.AppendSpan(nil, &s)); err != nil {
				t.Errorf("what was read is not read again: %v", err)
			}
		}
	})
}
