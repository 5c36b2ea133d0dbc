package compare

import "testing"

func TestNormalizeName(t *testing.T) {
	for name, want := range map[string]string{
		"":            "",
		"GET /orders": "GET /orders",
		"GET /orders/01a1fda7-8f1b-7418-a62f-004b7ab9d499/items/7": "GET /orders/{id}/items/{id}",
		"tracelab.order.v1.Orders/Accept":                          "tracelab.order.v1.Orders/Accept",
		"process order.placed":                                     "process order.placed",
		"GET /blobs/deadbeef0":                                     "GET /blobs/{id}",
		"GET /cafe/facade":                                         "GET /cafe/facade",
		"commit t1 (42)":                                           "commit t1 ({id})",
		"HTTP/1.1 GET":                                             "HTTP/1.1 GET",
		"é/9/\xff":                                                 "é/{id}/\xff",
	} {
		if got := NormalizeName(name); got != want {
			t.Errorf("%q is written %q, want %q", name, got, want)
		}
		if again := NormalizeName(want); again != want {
			t.Errorf("twice: %q is written %q", want, again)
		}
	}
}
