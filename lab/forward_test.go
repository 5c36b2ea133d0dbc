package lab_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/lab"
	"tracelab/services"
)

// forwarded runs a lab that also sends its spans to a receiver, and returns what came there, by span id.
func forwarded(t *testing.T, over string, forms []services.Form, sample float64) (*lab.Result, map[string]string) {
	t.Helper()
	collector, overGRPC, overHTTP := startReceiver(t)
	to := map[string]string{"grpc": overGRPC, "http": "http://" + overHTTP}[over]
	result, err := lab.Run(t.Context(), lab.Config{Forms: forms, Orders: 6, Rate: 200, Seed: 1, OTLP: destination(t, to), Unsent: 1 - sample, Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Problems) > 0 {
		t.Errorf("problems %q", result.Problems)
	}
	orders := map[string]string{} // by span id, "run form number" or "" for a shared span
	for _, span := range collected(t, collector) {
		if _, twice := orders[span.SpanID().String()]; twice {
			t.Errorf("%s came twice", span.Name())
		}
		order := ""
		if run := attributeOf(span, services.KeyRun); run != "" {
			order = run + " " + attributeOf(span, services.KeyForm) + " " + attributeOf(span, services.KeyNumber)
		}
		orders[span.SpanID().String()] = order
	}
	if len(orders) != result.Sent {
		t.Errorf("%d spans came, the report says %d", len(orders), result.Sent)
	}
	return result, orders
}

func TestForwardingSendsEverySpanOnce(t *testing.T) {
	t.Parallel() // most of it is waiting
	for _, over := range []string{"grpc", "http"} {
		result, came := forwarded(t, over, []services.Form{services.Hybrid}, 1)
		if got := int64(len(came)); got != result.Spans.Exported || got == 0 {
			t.Errorf("over %s: %d spans came, %d were made", over, got, result.Spans.Exported)
		}
	}
}

// TestForwardingASample sends half of the orders: the same numbers of every form, those that the seed draws, whole. The
// report sees every order.
func TestForwardingASample(t *testing.T) {
	t.Parallel() // most of it is waiting
	const orders = 6
	for _, sample := range []float64{0.5, 0} {
		result, came := forwarded(t, "grpc", nil, sample)
		want := map[string]int{}
		for number := range orders {
			if (services.Experiment{Seed: 1, Number: number}).Draw("sample").Float64() >= sample {
				continue
			}
			for form := range result.Forms {
				for _, span := range readSpans(t, result.Dir+"/"+string(form)+".otlp.jsonl")[number] {
					want[attributeOf(span, services.KeyRun)+" "+string(form)+" "+strconv.Itoa(number)]++
				}
			}
		}
		got, shared := map[string]int{}, 0
		for _, order := range came {
			switch run, _, _ := strings.Cut(order, " "); run {
			case "":
				shared++
			case result.Run:
				got[order]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sample %g: spans by order (-want +got):\n%s", sample, diff)
		}
		if (len(want) == 0) != (sample == 0) || len(want) == orders*4 {
			t.Errorf("sample %g takes orders %q: the draws show nothing", sample, slices.Sorted(maps.Keys(want)))
		}
		if shared != result.Shared {
			t.Errorf("sample %g: %d shared spans came, want all %d", sample, shared, result.Shared)
		}
		for form, f := range result.Forms {
			if f.Journeys != orders {
				t.Errorf("sample %g: the report has %d journeys of %s, want all %d", sample, f.Journeys, form, orders)
			}
		}
	}
}

// TestForwardingToNobody has an endpoint where nothing listens: the spans that were not taken are counted and are a
// problem, and the run's own report is whole.
func TestForwardingToNobody(t *testing.T) {
	t.Parallel() // in virtual time
	for _, to := range []string{"127.0.0.1:1", "http://127.0.0.1:1"} {
		var result *lab.Result
		out := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var err error
			result, err = lab.Run(t.Context(), lab.Config{Orders: 2, Seed: 1, OTLP: destination(t, to), Out: out, Network: (&virtualNetwork{}).network()})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: it took %v to give an endpoint up that never took a span", to, took)
			}
		})
		balanced(t, result)
		problems := strings.Join(result.Problems, "\n")
		count := strconv.FormatInt(result.Spans.Exported, 10) + " spans were not taken by the otlp endpoint " + to
		if !strings.Contains(problems, count) || !strings.Contains(problems, "is a collector or Jaeger listening there?") || result.Sent != 0 {
			t.Errorf("%d sent, problems %q, want %q", result.Sent, result.Problems, count)
		}
		for form, f := range result.Forms {
			if f.Journeys != 2 {
				t.Errorf("%s: %d journeys, want 2", form, f.Journeys)
			}
		}
	}
}

// TestARunThatIsStoppedLeavesNothing stops a run while it places orders and sends spans; a goroutine that is left
// behind fails the package.
func TestARunThatIsStoppedLeavesNothing(t *testing.T) {
	t.Parallel() // most of it is waiting
	_, overGRPC, _ := startReceiver(t)
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	out := t.TempDir()
	_, err := lab.Run(ctx, lab.Config{Orders: 1000, OTLP: destination(t, overGRPC), Out: out, Progress: func(at lab.Progress) {
		if at.Stage == "placing orders" && at.Answered == 3 {
			cancel(stop)
		}
	}})
	if !errors.Is(err, stop) {
		t.Errorf("%v, want %v", err, stop)
	}
	if left := names(t, out); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
