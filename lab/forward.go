package lab

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"tracelab/services"
)

// forwardPatience is how long the end of a run waits for a collector to take the last spans.
const forwardPatience = 10 * time.Second

// firstPatience is how long it waits for one that has taken nothing during the whole run: nobody listens there.
const firstPatience = 3 * time.Second

// forwarder sends what a collector gets on to an OTLP endpoint, such as an OpenTelemetry Collector or Jaeger, as it
// comes. It never holds anything up: what the endpoint has not taken waits in the collector.
type forwarder struct {
	client otlptrace.Client
	to     string
	keep   func(*tracepb.Span) bool
	from   *Collector
	cancel context.CancelFunc
	stop   chan struct{} // closed when no more spans will come
	done   chan struct{}

	reached      atomic.Bool // the endpoint has taken spans
	sent, failed int         // spans that the endpoint has taken and not taken; read after done
	err          error
}

// OTLPClient makes a client for host:port (gRPC) or a URL (http:// or https://, the path /v1/traces unless it has one).
// The standard OTEL_EXPORTER_OTLP_* variables hold for what the address does not say; with an empty address they say
// everything.
//
// What the endpoint does not take is sent again. The clients' own first pause is up to 7.5 s, in which a full load of spans
// overflows the queue in front of them although the collector is there again after one: hence a shorter one.
func OTLPClient(address, protocol string) otlptrace.Client {
	return otlpClient(address, protocol, otlptracegrpc.RetryConfig{
		Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: time.Minute,
	})
}

// OTLPOnce makes a client that does not try again, for whoever wants to hear of the first refusal.
func OTLPOnce(address string) otlptrace.Client {
	return otlpClient(address, "", otlptracegrpc.RetryConfig{})
}

func otlpClient(address, protocol string, retry otlptracegrpc.RetryConfig) otlptrace.Client {
	overGRPC, overHTTP := otlptracegrpc.WithRetry(retry), otlptracehttp.WithRetry(otlptracehttp.RetryConfig(retry))
	switch {
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"):
		if rest := address[strings.Index(address, "://")+3:]; !strings.Contains(rest, "/") {
			address += "/v1/traces"
		}
		return otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(address), overHTTP)
	case address != "":
		return otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure(), overGRPC)
	case strings.HasPrefix(protocol, "http"):
		return otlptracehttp.NewClient(overHTTP)
	default:
		return otlptracegrpc.NewClient(overGRPC)
	}
}

// startForwarder begins to send. Sample is the share of the orders whose spans are sent, drawn by the seed so that it
// is the same orders in every form; spans of no order are always sent.
func startForwarder(ctx context.Context, from *Collector, client otlptrace.Client, to string, seed uint64, sample float64) (*forwarder, error) {
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("otlp endpoint %s: %w", to, err)
	}
	f := &forwarder{client: client, to: to, from: from, stop: make(chan struct{}), done: make(chan struct{}),
		keep: func(s *tracepb.Span) bool {
			number, ok := orderNumber(s)
			return !ok || services.Experiment{Seed: seed, Number: number}.Draw("sample").Float64() < sample
		}}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(f.done)
		f.work(ctx)
	}()
	return f, nil
}

// work sends batch after batch.
func (f *forwarder) work(ctx context.Context) {
	next := 0
	stop := f.stop
	for {
		batches, more := f.from.From(next)
		for _, batch := range batches {
			f.send(ctx, batch)
			next++
		}
		if len(batches) > 0 {
			continue
		}
		if stop == nil {
			return
		}
		select {
		case <-more:
		case <-stop:
			stop = nil // one more look at what has come
		}
	}
}

func (f *forwarder) send(ctx context.Context, batch []byte) {
	var data tracepb.TracesData
	if err := proto.Unmarshal(batch, &data); err != nil {
		f.err = errors.Join(f.err, err)
		return
	}
	n := 0
	for _, resource := range data.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			kept := scope.Spans[:0]
			for _, s := range scope.GetSpans() {
				if f.keep(s) {
					kept = append(kept, s)
				}
			}
			scope.Spans = kept
			n += len(kept)
		}
	}
	if n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, forwardPatience)
	defer cancel()
	if err := f.client.UploadTraces(ctx, data.GetResourceSpans()); err != nil {
		f.failed += n
		f.err = err // the newest says enough; they are alike
		return
	}
	f.sent += n
	f.reached.Store(true)
}

// abandon ends without sending the rest, and without a word: the run has failed for another reason.
func (f *forwarder) abandon(ctx context.Context) {
	f.cancel()
	close(f.stop)
	<-f.done
	_ = f.client.Stop(ctx)
}

// finish sends the rest, as long as its patience lasts, and returns how many spans were sent; the error counts those
// that were not.
func (f *forwarder) finish(ctx context.Context) (int, error) {
	close(f.stop)
	patience := forwardPatience
	if !f.reached.Load() {
		patience = firstPatience
	}
	timer := time.AfterFunc(patience, f.cancel)
	<-f.done
	timer.Stop()
	f.cancel()
	err := f.client.Stop(ctx)
	if f.failed > 0 {
		return f.sent, fmt.Errorf("%d spans were not taken by the otlp endpoint %s: is a collector or Jaeger listening there? %w", f.failed, f.to, f.err)
	}
	return f.sent, err
}

// orderNumber is the number of the order that a span belongs to.
func orderNumber(s *tracepb.Span) (int, bool) {
	for _, kv := range s.GetAttributes() {
		if kv.GetKey() == services.KeyNumber {
			number, err := strconv.Atoi(kv.GetValue().GetStringValue())
			return number, err == nil
		}
	}
	return 0, false
}
