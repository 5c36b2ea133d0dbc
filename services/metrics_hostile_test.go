package services

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tracelab/internal/testkit"
	"tracelab/services/internal/orderpb"
)

// TestHostileRequestsMakeNoSeries sends 10,000 requests with as many paths, hosts and methods, five times the series that the SDK
// keeps of one instrument, and 1,000 to the one path that is measured, as a hostile client would.
func TestHostileRequestsMakeNoSeries(t *testing.T) {
	testkit.Unraced(t, "TestNoRunNamesASeries")
	m := &meters{}
	onLoopback(t, func(l *testLab) {
		address := l.system.Address(Gateway)
		methods := []string{"GET", "POST", "PUT", "HEAD", "BREW", "X%d"}
		hostile(t, address, 10_000, func(i int) string {
			method := methods[i%len(methods)]
			if strings.Contains(method, "%d") {
				method = fmt.Sprintf(method, i)
			}
			return fmt.Sprintf("%s /p/%d?q=%d HTTP/1.1\r\nHost: h%d.example:%d\r\nUser-Agent: a%d\r\nContent-Length: 0\r\n\r\n", method, i, i, i, i%60000+1, i)
		})
		if got := l.named(m, "http.server.request.duration"); len(got) != 0 {
			t.Errorf("paths that there are not have made %d series", len(got))
		}
		hostile(t, address, 1_000, func(i int) string {
			return fmt.Sprintf("POST /orders?q=%d HTTP/1.1\r\nHost: h%d.example:%d\r\nBaggage: tracelab.form=f%d\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", i, i, i+1, i)
		})
		for _, name := range []string{"http.server.request.duration", "http.server.request.body.size", "http.server.response.body.size"} {
			var got []series
			l.until("1000 requests are in "+name, func() bool { // recorded after the answer
				got = l.named(m, name)
				return len(got) > 0 && got[0].value >= 1_000
			})
			if len(got) != 1 || got[0].value != 1_000 {
				t.Errorf("%s: %d series, want one of 1000 requests: %v", name, len(got), got)
				continue
			}
			delete(got[0].attributes, "error.type")
			want := []string{"http.request.method=POST", "http.response.status_code=400", "http.route=/orders", "network.protocol.version=1.1"}
			var have []string
			for k, v := range got[0].attributes {
				have = append(have, string(k)+"="+v)
			}
			if slices.Sort(have); !slices.Equal(have, want) {
				t.Errorf("%s: attributes %v, want %v", name, have, want)
			}
		}
		var refused int64
		for _, s := range l.named(m, "tracelab.orders") {
			if s.attributes["tracelab.form"] == string(otherForm) {
				refused += s.value
			}
		}
		if n := len(l.named(m, "tracelab.orders")); refused != 1_000 || n != 4*len(allForms())+len(allForms())+1 { // orders, gateway, the form that there is not
			t.Errorf("%d orders of a form that there is not are refused, in %d series", refused, n)
		}
		before := len(l.spans.Started())
		hostileCalls(l, 2_000)
		if got, spans := l.named(m, "rpc.server.call.duration"), len(l.spans.Started())-before; len(got) != 0 || spans != 0 {
			t.Errorf("methods that there are not have made %d series and started %d spans", len(got), spans)
		}
		l.place(Experiment{Run: "r", Form: GRPC}, tea)
		l.until("one order makes a series for each of 6 methods", func() bool { return len(l.named(m, "rpc.server.call.duration")) >= 6 })
		l.must(l.stop(patience)) // what the servers record after their answers is recorded then
		if got := l.named(m, "rpc.server.call.duration"); len(got) != 6 {
			t.Errorf("one order makes %d series, want one for each of 6 methods", len(got))
		}
	}, m.measured)
}

// hostile sends requests over one connection, without waiting for the answers, and reads an answer to each.
func hostile(t *testing.T, address string, n int, request func(int) string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sent := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(conn, 64<<10)
		var err error
		for i := range n {
			_, e := io.WriteString(w, request(i))
			err = errors.Join(err, e)
		}
		sent <- errors.Join(err, w.Flush())
	}()
	r := bufio.NewReaderSize(conn, 64<<10)
	for i := range n {
		asked := &http.Request{Method: strings.SplitN(request(i), " ", 2)[0]}
		resp, err := http.ReadResponse(r, asked)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode < 400 {
			t.Fatalf("request %d: %v, %d", i, err, resp.StatusCode)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// hostileCalls calls methods that there are not.
func hostileCalls(l *testLab, n int) {
	l.Helper()
	conn, err := grpc.NewClient(l.system.GRPCAddress(Payment), grpc.WithTransportCredentials(insecure.NewCredentials()))
	l.must(err)
	defer func() { l.must(conn.Close()) }()
	for i := range n {
		method := fmt.Sprintf("/tracelab.order.v1.Payment/M%d", i)
		if i%2 == 0 {
			method = fmt.Sprintf("/s%d/Charge", i)
		}
		err := conn.Invoke(context.Background(), method, &orderpb.Order{}, &orderpb.Receipt{})
		if status.Code(err) != codes.Unimplemented {
			l.Fatalf("%s: %v", method, err)
		}
	}
}
