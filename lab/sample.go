package lab

import (
	"strconv"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"tracelab/services"
)

// sampled picks the spans of a share of the orders, drawn by the seed so that it is the same orders in every form; spans
// of no order are always picked.
func sampled(seed uint64, share float64) func(*tracepb.Span) bool {
	return func(s *tracepb.Span) bool {
		number, ok := orderNumber(s)
		return !ok || services.Experiment{Seed: seed, Number: number}.Draw("sample").Float64() < share
	}
}

// orderNumber is the number of the order that a span belongs to.
func orderNumber(s *tracepb.Span) (int, bool) {
	for _, kv := range s.GetAttributes() {
		if kv.GetKey() == services.KeyNumber {
			number, err := strconv.Atoi(kv.GetValue().GetStringValue())
			return number, err == nil
		}
	}
	return 0, false
}
