package services

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"tracelab/services/flows"
)

// in is an experiment of a run in a form.
func in(run string, form Form) Experiment { return Experiment{Run: run, Form: form} }

func TestPlaceAnOrder(t *testing.T) {
	inBubble(t, func(l *testLab) {
		for form, status := range map[Form]int{REST: 201, GRPC: 201, Kafka: 202, Hybrid: 202} {
			a := l.place(in("r", form), tea)
			var body Answer
			l.must(json.Unmarshal(a.body, &body))
			if a.status != status || a.id() == "" || a.id() != body.ID || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: answered %d %v %s, want %d and the order's Location", form, a.status, a.header, a.body, status)
			}
			if want := map[int]Status{201: Completed, 202: Accepted}[status]; body.Status != want {
				t.Errorf("%s: the answer says %s, want %s", form, body.Status, want)
			}
			if now := l.state(a.id()); now.Status != body.Status {
				t.Errorf("%s: GET says %s right after the answer, want %s", form, now.Status, body.Status)
			}
			final := l.await(a.id())
			want := State{ID: a.id(), Status: Completed, Run: "r", Form: form, Body: map[string]any{"customer": "ada", "sku": "tea-green", "quantity": 2.0}, Steps: final.Steps}
			if diff := cmp.Diff(want, final); diff != "" || !slices.Contains(final.Steps, Complete) {
				t.Errorf("%s: GET /orders/{id} in the end (-want +got):\n%s", form, diff)
			}
		}
		accounts := l.send(l.Context(), http.MethodGet, "/runs/r", "", nil)
		var sums Summary
		l.must(json.Unmarshal(accounts.body, &sums))
		one := Accounts{Accepted: 1, Completed: 1, Effects: onceEach()}
		if diff := cmp.Diff(map[Form]Accounts{REST: one, GRPC: one, Kafka: one, Hybrid: one}, sums.Forms); diff != "" {
			t.Errorf("GET /runs/r (-want +got):\n%s", diff)
		}
	})
}

func TestOutOfStock(t *testing.T) {
	inBubble(t, func(l *testLab) {
		for _, form := range Forms() {
			a := l.place(in("r", form), kettle)
			if form == Kafka {
				if a.status != 202 {
					t.Errorf("kafka: answered %d, want 202: the check comes behind a message", a.status)
				}
			} else if p := a.problem(t); a.status != 409 || p.Type != "/problems/out_of_stock" || p.Status != 409 || p.Instance != a.header.Get("Location") ||
				len(p.Failures) != 1 || p.Failures[0].Step != string(Reserve) {
				t.Errorf("%s: answered %d %+v, want 409 out_of_stock of %s with the order's address", form, a.status, p, Reserve)
			}
			s := l.await(a.id())
			if s.Status != Failed || len(s.Failures) != 1 || s.Failures[0].Reason != "out_of_stock" || s.Failures[0].Step != string(Reserve) || slices.Contains(s.Steps, Reserve) {
				t.Errorf("%s: the order is %+v, want failed out_of_stock of %s", form, s, Reserve)
			}
		}
	})
}

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

func TestProbes(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		inBubble(t, func(l *testLab) {
			for _, service := range Names() {
				for path, want := range map[string]string{"/healthz": "alive", "/readyz": "ready"} {
					status, body := l.probe(service, path)
					if status != 200 || body["service"] != service || body["status"] != want {
						t.Errorf("%s of %s: %d %v, want %s", path, service, status, body, want)
					}
					if path == "/readyz" && body["faults_allowed"] != allowed {
						t.Errorf("%s says faults_allowed %v, want %v", service, body["faults_allowed"], allowed)
					}
				}
			}
			l.system.nodes[3].draining.Store(true)
			if status, body := l.probe(Gateway, "/readyz"); status != 503 || fmt.Sprint(body["waiting_for"]) != "[payment]" {
				t.Errorf("with a service that shuts down: %d %v, want 503 and its name", status, body)
			}
		}, func(c *Config) { c.AllowFaults = allowed })
	}
}

// probe asks a service.
func (l *testLab) probe(service, path string) (int, map[string]any) {
	l.Helper()
	a := l.sendTo(context.Background(), l.system.Address(service), http.MethodGet, path, "", nil)
	var body map[string]any
	l.must(json.Unmarshal(a.body, &body))
	return a.status, body
}

// FuzzPlacement: whatever the body and the key, the reader answers with a placement within its limits, which gRPC can
// carry, or with a reason of the client's.
func FuzzPlacement(f *testing.F) {
	for _, body := range []string{
		`{"customer":"ada","sku":"cup","quantity":1}`, `{"customer":"ada","sku":"cup","quantity":1e30}`,
		`{"customer":"\ud800","sku":"cup","quantity":1000}`, "{\"customer\":\"\xff\",\"sku\":\"cup\",\"quantity\":1}", "null", "[]", "{}{}", "\x00",
	} {
		f.Add([]byte(body), "key")
	}
	f.Add([]byte(`{"customer":"ada","sku":"cup","quantity":1}`), "\xff")
	work, err := newFlowWork(flows.Order())
	if err != nil {
		f.Fatal(err)
	}
	g := &gateway{node: &node{flow: work}}
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders", bytes.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}
		p, failed := g.read(httptest.NewRecorder(), r)
		if failed != nil {
			if status := work.named(failed).Status(); status/100 != 4 {
				t.Fatalf("%q is refused with %d: %v", body, status, failed)
			}
			return
		}
		order := p.GetOrder()
		_, it, quantity := ordered(order)
		if it.price == 0 || quantity < 1 || quantity > 1000 || order.GetBody()["customer"] == "" || order.GetId() != "" {
			t.Fatalf("%q was read as %v", body, p)
		}
		if _, err := proto.Marshal(p); err != nil {
			t.Fatalf("%q with key %q cannot be sent: %v", body, key, err)
		}
	})
}

// TestAnswersNameTheirTrace asks in a trace of the client's own, and without one; errors name theirs, too.
func TestAnswersNameTheirTrace(t *testing.T) {
	inBubble(t, func(l *testLab) {
		body, err := json.Marshal(tea)
		l.must(err)
		const own = "0af7651916cd43dd8448eb211c80319c"
		for _, c := range []struct{ name, body, traceparent, trace string }{
			{"own trace", string(body), "00-" + own + "-b7ad6b7169203331-01", own},
			{"own trace, refused", `{}`, "00-" + own + "-b7ad6b7169203331-01", own},
			{"no trace", string(body), "", ""},
		} {
			header := http.Header{"Content-Type": {"application/json"}}
			if c.traceparent != "" {
				header.Set("Traceparent", c.traceparent)
			}
			a := l.sendTo(context.Background(), l.system.Address(Gateway), http.MethodPost, "/orders", c.body, header)
			parts := strings.Split(a.header.Get("Traceresponse"), "-")
			if len(parts) != 4 || len(parts[1]) != 32 || c.trace != "" && parts[1] != c.trace || parts[2] == "b7ad6b7169203331" {
				t.Errorf("%s: traceresponse %q, want the trace %s and the server's own span", c.name, a.header.Get("Traceresponse"), c.trace)
			}
		}
	})
}

// TestAClientsOrderIDReachesNoSpan: only orders gives ids.
func TestAClientsOrderIDReachesNoSpan(t *testing.T) {
	inBubble(t, func(l *testLab) {
		header := http.Header{"Content-Type": {"application/json"}, "Baggage": {KeyOrderID + "=forged,other=kept"}}
		for _, body := range []string{`{"customer":"ada","sku":"tea-green","quantity":1}`, "{}"} {
			if a := l.send(l.Context(), http.MethodPost, "/orders", body, header.Clone()); a.status == 202 {
				l.await(a.id())
			}
		}
		for _, span := range l.ended() {
			if id := attributes(span)[KeyOrderID].AsString(); id == "forged" {
				t.Errorf("%s of %s has the client's order id", span.Name(), serviceOf(span))
			}
		}
	})
}

// TestOrdersComeInPages, and the header leads from one to the next through the gateway.
func TestOrdersComeInPages(t *testing.T) {
	inBubble(t, func(l *testLab) {
		for number := range 5 {
			e := in("r", GRPC)
			e.Number = number
			l.place(e, tea)
		}
		var sizes []int
		seen := map[int]bool{}
		for path := "/runs/r/orders?limit=2"; path != ""; {
			a := l.send(l.Context(), http.MethodGet, path, "", nil)
			var page []State
			l.must(json.Unmarshal(a.body, &page))
			sizes = append(sizes, len(page))
			for _, s := range page {
				seen[s.Number] = true
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		}
		if !slices.Equal(sizes, []int{2, 2, 1}) || len(seen) != 5 {
			t.Errorf("pages of %v with %d orders, want 2, 2, 1 and all 5", sizes, len(seen))
		}
		for _, query := range []string{"limit=0", "limit=1001", "limit=x", "after=-1", "after=%ff"} {
			if a := l.send(l.Context(), http.MethodGet, "/runs/r/orders?"+query, "", nil); a.status != 400 || a.problem(t).Type != "/problems/bad_request" {
				t.Errorf("%s: answered %d %s, want 400", query, a.status, a.body)
			}
		}
	})
}
