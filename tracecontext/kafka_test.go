package tracecontext_test

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
)

// headers is a carrier of Kafka headers. It takes keys in any case, shows all
// values of a key, and treats null as absent. The library has none: the
// instrumentation of a Kafka client brings its own.
type headers []kgo.RecordHeader

func (h *headers) Get(key string) string {
	if v := h.Values(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (h *headers) Values(key string) (values []string) {
	for _, x := range *h {
		if strings.EqualFold(x.Key, key) && x.Value != nil {
			values = append(values, string(x.Value))
		}
	}
	return values
}

func (h *headers) Set(key, value string) {
	*h = slices.DeleteFunc(*h, func(x kgo.RecordHeader) bool { return strings.EqualFold(x.Key, key) })
	*h = append(*h, kgo.RecordHeader{Key: key, Value: []byte(value)})
}

func (h *headers) Keys() (keys []string) {
	for _, x := range *h {
		keys = append(keys, x.Key)
	}
	return keys
}

func kafkaCarrier(raw [][2]string) propagation.TextMapCarrier {
	h := &headers{}
	for _, kv := range raw {
		*h = append(*h, kgo.RecordHeader{Key: kv[0], Value: []byte(kv[1])})
	}
	return h
}
