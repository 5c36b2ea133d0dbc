package lab_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// hostileHeaders are bytes that are no text, each in a header that becomes part of a span.
var hostileHeaders = []string{"User-Agent: \xff\xfe", "X-Forwarded-For: \xff\xfe, 10.0.0.1", "Baggage: tracelab.form=%ff%fe", "Tracestate: k=\xff", "Content-Type: \xff\xfe"}

// hostileRequests sends an order with each of those headers. An address that does not answer them is no gateway.
func hostileRequests(t *testing.T, address string) {
	t.Helper()
	const body = `{"customer":"ada","sku":"tea-green","quantity":1}`
	for _, header := range hostileHeaders {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
		_, err = fmt.Fprintf(conn, "POST /orders HTTP/1.1\r\nHost: lab\r\n%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", header, len(body), body)
		var answer *http.Response
		if err == nil {
			answer, err = http.ReadResponse(bufio.NewReader(conn), nil)
		}
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		_ = conn.Close()
		if err != nil {
			return
		}
	}
}

// hostileRecords puts values that are no text on topics.
func hostileRecords(t *testing.T, brokers []string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DisableClientMetrics())
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	for _, topic := range flows.Order().Topics() {
		for _, value := range []string{"\xff\xfe{", "{\"order\":{\"id\":\"\xff\xfe\"}}", "{\"\xff\":1}"} {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("k\xff"), Value: []byte(value)}).FirstErr(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestBytesThatAreNoTextCostNoSpan has strangers send them while a run places its orders: every journey is complete, and
// the strangers' own spans are there, in text.
func TestBytesThatAreNoTextCostNoSpan(t *testing.T) {
	t.Parallel() // most of it is waiting
	const orders = 8
	for name, prepare := range map[string]func(t *testing.T, c *lab.Config) (attack func()){
		"in process": func(t *testing.T, c *lab.Config) func() {
			var mu sync.Mutex
			var addresses []string
			c.Network = services.TCP()
			listen := c.Network.Listen
			c.Network.Listen = func(network, address string) (net.Listener, error) {
				listener, err := listen(network, address)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					addresses = append(addresses, listener.Addr().String())
				}
				return listener, err
			}
			return func() {
				mu.Lock()
				all := slices.Clone(addresses)
				mu.Unlock()
				var wg sync.WaitGroup
				for _, address := range all { // one of them is the gateway
					wg.Go(func() { hostileRequests(t, address) })
				}
				wg.Wait()
			}
		},
		"elsewhere": func(t *testing.T, c *lab.Config) func() {
			c.ReceiveOTLP = receiverAddress(t)
			to := startTarget(t, c.ReceiveOTLP, unchanged)
			c.Target = to.url
			gateway, err := url.Parse(to.url)
			if err != nil {
				t.Fatal(err)
			}
			return func() { hostileRequests(t, gateway.Host); hostileRecords(t, to.kafka) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := lab.Config{Orders: orders, Seed: 1, Rate: 200, Out: t.TempDir(), Timeout: patience, Deadline: patience}
			attack := prepare(t, &c)
			var once sync.Once
			c.Progress = func(at lab.Progress) {
				if at.Stage == "placing orders" {
					once.Do(attack)
				}
			}
			result, err := lab.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			balanced(t, result)
			for form, f := range result.Forms {
				if f.Journeys != orders || f.Incomplete != 0 {
					t.Errorf("%s: %d complete, %d incomplete journeys: want all %d complete", form, f.Journeys, f.Incomplete, orders)
				}
			}
			if len(result.Problems) > 0 || result.Damaged > 0 {
				t.Errorf("problems %q, %d damaged batches", result.Problems, result.Damaged)
			}
			agents := 0
			for _, span := range runSpans(t, result) {
				if agent, ok := span.Attr("user_agent.original"); ok && strings.ContainsRune(agent.String(), utf8.RuneError) {
					agents++
				}
			}
			if agents == 0 {
				t.Error("no span of a stranger is there")
			}
		})
	}
}
