package links

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tracelab/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, testmain.Hops(), goleak.Cleanup(testmain.Exit)) }

var (
	from = []string{"client", "orders", "payment"}
	to   = []string{"orders", "payment", "kafka"}
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Link{
		"orders>payment:latency=40ms":                        {From: "orders", To: "payment", Latency: 40 * time.Millisecond},
		"payment>kafka:latency=40ms,jitter=5ms,bandwidth=64": {From: "payment", To: "kafka", Latency: 40 * time.Millisecond, Jitter: 5 * time.Millisecond, Bandwidth: 64},
		"client>orders:cut,from=1s,to=2s":                    {From: "client", To: "orders", Cut: true, Begin: time.Second, End: 2 * time.Second},
		"client>orders:reset,to=2s":                          {From: "client", To: "orders", Reset: true, End: 2 * time.Second},
	} {
		got, err := Parse(text, from, to)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
		if again, err := Parse(got.String(), from, to); err != nil || again != got {
			t.Errorf("%s is written as %s, which is %v, %v", text, got, again, err)
		}
	}
	got := Split([]string{"a>b:latency=1ms,jitter=1ms,c>d:cut", "e>f:reset"})
	if diff := cmp.Diff([]string{"a>b:latency=1ms,jitter=1ms", "c>d:cut", "e>f:reset"}, got); diff != "" {
		t.Errorf("a list (-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "A>B:KIND",
		"orders:latency=1ms":                    "A>B:KIND",
		"orders>payment":                        "A>B:KIND",
		"ordrs>payment:cut":                     "use one of client, orders, payment",
		"orders>client:cut":                     "use one of orders, payment, kafka",
		"orders>orders:cut":                     "no connection to itself",
		"orders>payment:":                       "no kind of link",
		"orders>payment:lag=1s":                 "use one of latency, jitter",
		"orders>payment:latency=1":              "a duration such as 40ms",
		"orders>payment:latency=11s":            "up to 10s",
		"orders>payment:jitter=1ms":             "add latency",
		"orders>payment:latency=1ms,jitter=2ms": "more than latency",
		"orders>payment:bandwidth=0":            "KB/s from 1",
		"orders>payment:cut=1s":                 "takes no value",
		"orders>payment:cut,reset":              "not both",
		"orders>payment:from=1s":                "say what it is",
		"orders>payment:cut,from=2s,to=1s":      "would end before it begins",
		"orders>payment:latency=1s,latency=2s":  "latency is there twice",
	} {
		if _, err := Parse(text, from, to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// echo answers what it is sent.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// over opens a connection from orders to payment, over a link.
func over(t *testing.T, text string) (*Network, net.Conn) {
	t.Helper()
	l, err := Parse(text, from, to)
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	n := New([]Link{l}, dialer.DialContext, func(string) string { return "payment" })
	t.Cleanup(n.Close)
	if n.Dial("client") != nil {
		t.Error("the client has a link")
	}
	c, err := n.Dial("orders")(t.Context(), "tcp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return n, c
}

// ask sends a word and waits for its echo, for a time.
func ask(c net.Conn, within time.Duration) (took time.Duration, err error) {
	begin := time.Now()
	_ = c.SetDeadline(begin.Add(within))
	if _, err := c.Write([]byte("ping")); err != nil {
		return 0, err
	}
	_, err = io.ReadFull(c, make([]byte, 4))
	return time.Since(begin), err
}

const patience = 20 * time.Second

// TestLatencyIsEachWay, from the run's begin on and for its time only, and what went over the link is counted.
func TestLatencyIsEachWay(t *testing.T) {
	n, c := over(t, "orders>payment:latency=100ms,to=1s")
	if _, err := ask(c, patience); err != nil {
		t.Fatalf("before the run: %v", err)
	}
	n.Begin(context.Background(), time.Now())
	if took, err := ask(c, patience); err != nil || took < 200*time.Millisecond {
		t.Errorf("in its time: %v, %v, want 200 ms or more", took, err)
	}
	n.timed.Wait()
	shortest := patience // a busy machine is slow now and then
	for range 20 {
		took, err := ask(c, patience)
		if err != nil {
			t.Fatal(err)
		}
		shortest = min(shortest, took)
	}
	if shortest >= 200*time.Millisecond {
		t.Errorf("after its time: %v", shortest)
	}
	if u := n.Used()[0]; u.Connections != 1 || u.Bytes != 22*8 {
		t.Errorf("%+v, want 1 connection and %d bytes", u, 22*8)
	}
}

// TestCutAndReset: nothing comes back of a link that is cut, and one that is reset ends its connections.
func TestCutAndReset(t *testing.T) {
	n, c := over(t, "orders>payment:cut")
	n.Begin(context.Background(), time.Now())
	if _, err := ask(c, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
		t.Errorf("cut: %v, want nothing", err)
	}
	n, c = over(t, "orders>payment:reset")
	n.Begin(context.Background(), time.Now())
	if _, err := ask(c, patience); err == nil || isTimeout(err) {
		t.Errorf("reset: %v, want an end of the connection", err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// TestALongListIsTakenApartAtOnce: a list of 10 MB that somebody has pasted costs no time that is felt.
func TestALongListIsTakenApartAtOnce(t *testing.T) {
	begin := time.Now()
	text := strings.Repeat(",jitter=1ms", 1_000_000)
	list := Split([]string{"a>b:latency=1ms" + text + ",c>d:cut" + text, "", ",e>f:cut"})
	if len(list) != 5 || len(list[0]) != len("a>b:latency=1ms"+text) || len(list[1]) != len("c>d:cut"+text) || list[2] != "" || list[3] != "" || list[4] != "e>f:cut" {
		t.Errorf("%d parts", len(list))
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestANetworkThatWasNotMade has no links.
func TestANetworkThatWasNotMade(t *testing.T) {
	for _, n := range []*Network{nil, {}} {
		n.Begin(t.Context(), time.Now())
		n.Set(t.Context(), []Link{{From: "a", To: "b", Cut: true}})
		if n.Dial("a") != nil || len(n.Used()) > 0 {
			t.Error("it has a link")
		}
		n.Close()
	}
}
