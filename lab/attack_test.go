package lab_test

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"tracelab/internal/testkit"
	"tracelab/lab"
)

// TestARunOutlivesNestedSpans sends spans with an attribute of nested arrays to the receiver of a run: one that ends the
// process in a decoder that recurses, and ones of a few levels more and less than the judge reads. What is refused is
// answered so, what is taken can be read back from the run directory, and the run's own orders are all complete.
func TestARunOutlivesNestedSpans(t *testing.T) {
	t.Parallel() // most of it is waiting
	receiver := receiverAddress(t)
	to := startTarget(t, receiver, unchanged)
	var once sync.Once
	taken := 0
	attack := func() {
		for _, levels := range []int{testkit.Times(20_000, 1_600_000), 201} {
			body := testkit.NestedOTLP(levels, 9, 2, 2, 1)
			if got := postOTLP(t, receiver, "application/x-protobuf", body); got != http.StatusBadRequest {
				t.Errorf("%d levels over HTTP are answered %d", levels, got)
			}
			if got := callOTLP(t, receiver, body); got != codes.InvalidArgument {
				t.Errorf("%d levels over gRPC are answered %v", levels, got)
			}
		}
		inJSON := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":` +
			strings.Repeat(`{"arrayValue":{"values":[`, 201) + strings.Repeat(`]}}`, 201) + `}]}]}]}]}`
		if got := postOTLP(t, receiver, "application/json", []byte(inJSON)); got != http.StatusBadRequest {
			t.Errorf("201 levels in JSON are answered %d", got)
		}
		for levels := range 100 { // of a service of the run, so that they are written
			switch got := callOTLP(t, receiver, nestedOfOrders(levels)); got {
			case codes.OK:
				taken++
			case codes.InvalidArgument:
			default:
				t.Errorf("%d levels are answered %v", levels, got)
			}
		}
	}
	result, err := lab.Run(t.Context(), lab.Config{
		Orders: 3, Seed: 1, Timeout: patience, Deadline: patience, Target: to.url, ReceiveOTLP: receiver, Out: t.TempDir(),
		Progress: func(at lab.Progress) {
			if at.Stage == "placing orders" {
				once.Do(attack)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	balanced(t, result)
	for form, f := range result.Forms {
		if f.Journeys != 3 || result.Damaged > 0 {
			t.Errorf("%s: %d of 3 journeys are complete, %d batches damaged, problems %q", form, f.Journeys, result.Damaged, result.Problems)
		}
	}
	nested := 0
	for _, span := range runSpans(t, result) {
		if span.Name == "nested" {
			nested++
		}
	}
	if nested < taken || taken == 0 || taken == 100 {
		t.Errorf("%d spans were taken, and %d are in the run directory: want all of them, and neither none nor all 100", taken, nested)
	}
}

// nestedOfOrders is a span of the service orders, and of no order.
func nestedOfOrders(levels int) []byte {
	name := append(testkit.Wrap([]byte("service.name"), 1), testkit.Wrap([]byte("orders"), 1, 2)...)
	span := testkit.NestedOTLP(levels, 9)
	span = append(span, testkit.Wrap(bytes.Repeat([]byte{1}, 16), 1)...)
	span = append(span, testkit.Wrap([]byte{1, 1, 1, 1, 1, 1, 1, byte(levels + 1)}, 2)...)
	span = append(span, testkit.Wrap([]byte("nested"), 5)...)
	return testkit.Wrap(append(testkit.Wrap(name, 1, 1), testkit.Wrap(span, 2, 2)...), 1)
}

// postOTLP sends a request to a receiver over HTTP, by its address for gRPC, and returns the status.
func postOTLP(t *testing.T, receiver, contentType string, body []byte) int {
	t.Helper()
	host, port, err := net.SplitHostPort(receiver)
	if err != nil {
		t.Error(err)
		return 0
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Error(err)
		return 0
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+net.JoinHostPort(host, strconv.Itoa(number+1))+"/v1/traces", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// callOTLP sends a request over gRPC and returns the status.
func callOTLP(t *testing.T, receiver string, body []byte) codes.Code {
	t.Helper()
	connection, err := grpc.NewClient(receiver, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Error(err)
		return codes.Unknown
	}
	defer func() { _ = connection.Close() }()
	var answer []byte
	return status.Code(connection.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", body, &answer, grpc.ForceCodec(bytesAsTheyAre{})))
}

// bytesAsTheyAre is a codec of messages that are encoded already.
type bytesAsTheyAre struct{}

func (bytesAsTheyAre) Name() string                       { return "proto" }
func (bytesAsTheyAre) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (bytesAsTheyAre) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
