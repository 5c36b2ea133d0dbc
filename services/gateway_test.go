package services

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"tracelab/services/flows"
)

// in is an experiment of a run in a form.
func in(run string, form Form) Experiment { return Experiment{Run: run, Form: form} }

func TestPlaceAnOrder(t *testing.T) {
	t.Parallel() // in virtual time
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
	t.Parallel() // in virtual time
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
	t.Parallel() // in virtual time
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
	t.Parallel() // in virtual time
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
	t.Parallel() // in virtual time
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
