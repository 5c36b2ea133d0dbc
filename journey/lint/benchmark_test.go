package lint_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"tracelab/journey"
	"tracelab/journey/lint"
)

// BenchmarkCheck checks journeys of a message each, as they should be and with nothing as it should be.
func BenchmarkCheck(b *testing.B) {
	for _, c := range []struct{ name, drawing string }{
		{"clean", flow},
		{"broken", "a CONSUMER 0-9 messaging.kafka.x=1\n  b PRODUCER 1-2 messaging.operation=publish parent=?\nc SERVER 3-4 http.request.method=GET link=?"},
	} {
		one := drawn(b, c.drawing, nil)
		for _, n := range []int{1e3, 1e5, 1e6} {
			spans := repeat(one, n/len(one))
			set := journey.NewSet(spans)
			b.Run(fmt.Sprintf("%s/spans=%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				findings := 0
				for b.Loop() {
					findings = len(lint.Check(set).Findings)
				}
				b.ReportMetric(float64(len(spans))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
				b.ReportMetric(float64(findings), "findings")
			})
		}
	}
}

// repeat copies spans n times, into traces and at positions of their own.
func repeat(one []journey.Span, n int) []journey.Span {
	spans := make([]journey.Span, 0, n*len(one))
	for k := range n {
		for _, s := range one {
			binary.BigEndian.PutUint64(s.Trace[:], uint64(k)+1)
			s.Start += int64(k) * 1_000_000
			s.End += int64(k) * 1_000_000
			s.Links = slices.Clone(s.Links)
			for l := range s.Links {
				binary.BigEndian.PutUint64(s.Links[l].Trace[:], uint64(k)+1)
			}
			s.Attributes = slices.Clone(s.Attributes)
			for a := range s.Attributes {
				if s.Attributes[a].Key == "messaging.kafka.offset" {
					s.Attributes[a].Value = journey.IntValue(int64(k))
				}
			}
			spans = append(spans, s)
		}
	}
	return spans
}
