package services

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestBadOrders: each is refused with a problem document, and no order is made.
func TestBadOrders(t *testing.T) {
	jsonType := http.Header{"Content-Type": {"application/json"}}
	good := `{"customer":"ada","sku":"cup","quantity":1}`
	quantity := func(q string) string { return `{"customer":"ada","sku":"cup","quantity":` + q + `}` }
	key := func(values ...string) http.Header {
		return http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": values}
	}
	inBubble(t, func(l *testLab) {
		for _, c := range []struct {
			what, body string
			header     http.Header
			status     int
			detail     string
		}{
			{"a body over 64 KiB", `{"customer":"` + strings.Repeat("x", 64<<10) + `"}`, jsonType, 413, "65536"},
			{"spaces over 64 KiB behind an order", good + strings.Repeat(" ", 64<<10), jsonType, 413, "65536"},
			{"broken JSON", `{"customer":"ada",`, jsonType, 400, "EOF"},
			{"no body", "", jsonType, 400, "EOF"},
			{"not JSON", "customer=ada", jsonType, 400, ""},
			{"an unknown field", `{"customer":"ada","sku":"cup","quantity":1,"colour":"red"}`, jsonType, 400, "colour"},
			{"an order and more behind it", good + good, jsonType, 400, "behind"},
			{"an order and rubbish behind it", good + "x", jsonType, 400, "behind"},
			{"a list", "[" + good + "]", jsonType, 400, ""},
			{"null", "null", jsonType, 422, "customer"},
			{"a customer that is a number", `{"customer":7,"sku":"cup","quantity":1}`, jsonType, 400, "customer"},
			{"a quantity that is a text", quantity(`"1"`), jsonType, 400, "quantity"},
			{"half a cup", quantity("0.5"), jsonType, 400, "quantity"},
			{"a negative quantity", quantity("-1"), jsonType, 422, "quantity"},
			{"nothing", quantity("0"), jsonType, 422, "quantity"},
			{"no quantity", `{"customer":"ada","sku":"cup"}`, jsonType, 422, "quantity"},
			{"one too many", quantity("1001"), jsonType, 422, "1000"},
			{"2³² + 1", quantity("4294967297"), jsonType, 422, "quantity"},
			{"2⁶³", quantity("9223372036854775808"), jsonType, 400, "quantity"},
			{"1e30", quantity("1e30"), jsonType, 400, "quantity"},
			{"an unknown SKU", `{"customer":"ada","sku":"coffee","quantity":1}`, jsonType, 422, "tea-green"},
			{"no SKU", `{"customer":"ada","quantity":1}`, jsonType, 422, "sku"},
			{"no customer", `{"sku":"cup","quantity":1}`, jsonType, 422, "customer"},
			{"a customer of 101", `{"customer":"` + strings.Repeat("ä", 101) + `","sku":"cup","quantity":1}`, jsonType, 422, "customer"},
			{"no content type", good, nil, 415, "application/json"},
			{"another content type", good, http.Header{"Content-Type": {"text/plain"}}, 415, "text/plain"},
			{"a content type that is none", good, http.Header{"Content-Type": {"application/json; ;"}}, 415, ""},
			{"a key of 101", good, key(strings.Repeat("k", 101)), 422, "Idempotency-Key"},
			{"two keys", good, key("a", "b"), 422, "Idempotency-Key"},
			{"a key that is no text", good, key("a\xff"), 422, "Idempotency-Key"},
		} {
			a := l.send(l.Context(), http.MethodPost, "/orders", c.body, c.header)
			if p := a.problem(t); a.status != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.detail) || p.Instance != "" || a.id() != "" {
				t.Errorf("%s: answered %d %+v, want %d with %q in the detail, and no order", c.what, a.status, p, c.status, c.detail)
			}
		}
		for _, c := range nonsense {
			header := http.Header{"Content-Type": {"application/json"}, "Baggage": {c.key + "=" + url.PathEscape(c.value)}}
			a := l.send(l.Context(), http.MethodPost, "/orders", good, header)
			if p := a.problem(t); a.status != 400 || !strings.Contains(p.Detail, c.key) {
				t.Errorf("baggage %s=%s: answered %d %+v, want 400 and the member's name", c.key, c.value, a.status, p)
			}
		}
		l.checkNoOrders()
		for _, c := range []struct{ what, body string }{
			{"a customer of 100 characters", `{"customer":"` + strings.Repeat("ä", 100) + `","sku":"cup","quantity":1000}`},
			{"spaces behind", good + " \n"},
		} {
			if a := l.send(l.Context(), http.MethodPost, "/orders", c.body, http.Header{"Content-Type": {"application/json; charset=utf-8"}}); a.status != 202 {
				t.Errorf("%s: answered %d %s, want 202: this is good", c.what, a.status, a.body)
			}
		}
	})
}

// checkNoOrders holds that nobody has made an order.
func (l *testLab) checkNoOrders() {
	l.Helper()
	if orders := all(l.system.keeper.ledger, ""); len(orders) != 0 {
		l.Errorf("%d orders were made: %+v", len(orders), orders)
	}
}

// TestWhatTheServerRefusesItself keeps the answer of net/http.
func TestWhatTheServerRefusesItself(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		for _, c := range []struct {
			method, path string
			status       int
		}{
			{http.MethodGet, "/orders", 405}, {http.MethodDelete, "/orders/x", 405}, {http.MethodPost, "/nowhere", 404}, {http.MethodPut, "/orders", 405},
		} {
			if a := l.send(l.Context(), c.method, c.path, "", nil); a.status != c.status {
				t.Errorf("%s %s: answered %d, want %d", c.method, c.path, a.status, c.status)
			}
		}
		a := l.send(l.Context(), http.MethodGet, "/orders/nobody", "", nil)
		if p := a.problem(t); a.status != 404 || p.Type != "/problems/order_not_found" {
			t.Errorf("an order that is none: answered %d %+v, want 404", a.status, p)
		}
		if a := l.send(l.Context(), http.MethodGet, "/runs/none/orders", "", nil); a.status != 200 || strings.TrimSpace(string(a.body)) != "[]" {
			t.Errorf("the orders of no run: %d %s, want an empty list", a.status, a.body)
		}
	})
}

// TestSlowRequests are ended at the limit, and make no order.
func TestSlowRequests(t *testing.T) {
	head := "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 43\r\n"
	inBubble(t, func(l *testLab) {
		for _, c := range []struct {
			what, text string
			within     time.Duration
			status     int // 0: the connection is closed without a word
		}{
			{"half a request line", "POST /ord", 2 * time.Second, 400}, // net/http's own answer
			{"no end of the headers", head, 2 * time.Second, 0},
			{"no body", head + "\r\n", 5 * time.Second, 408},
			{"half a body", head + "\r\n" + `{"customer":"ada",`, 5 * time.Second, 408},
		} {
			conn, err := l.config.Network.Dial(l.Context(), "tcp", l.system.Address(Gateway))
			l.must(err)
			begin := time.Now()
			_, err = conn.Write([]byte(c.text))
			l.must(err)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			took := time.Since(begin)
			if took > c.within+time.Second {
				t.Errorf("%s: it took %v to end, want %v", c.what, took, c.within)
			}
			switch {
			case c.status == 0 && err == nil:
				t.Errorf("%s: answered %d, want a closed connection", c.what, answer.StatusCode)
			case c.status != 0 && (err != nil || answer.StatusCode != c.status):
				t.Errorf("%s: answered %v, %v, want %d", c.what, answer, err, c.status)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%s: %v: want the connection closed", c.what, err)
			}
			l.must(conn.Close())
		}
		l.checkNoOrders()
	})
}
