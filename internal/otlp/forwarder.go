package otlp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// finishTimeout bounds one export, and how long Finish waits for the endpoint to take the last spans.
	finishTimeout = 10 * time.Second
	// silentTimeout is how long Finish waits for an endpoint that has taken nothing so far: nobody listens there.
	silentTimeout = 3 * time.Second
)

// ForwarderConfig says what a forwarder sends.
type ForwarderConfig struct {
	To Endpoint
	// Next takes the next batch of spans, as OTLP protobuf, out of a store. When none waits, batch is nil, and more is closed
	// once there is one.
	Next func() (batch []byte, more <-chan struct{})
	Keep func(*tracepb.Span) bool // picks the spans to send
}

// Forwarder sends the spans of a store on to an endpoint, such as an OpenTelemetry Collector or Jaeger, as they come.
// It never blocks whoever fills the store: what the endpoint has not taken waits there, within the store's limit.
type Forwarder struct {
	ForwarderConfig
	client otlptrace.Client
	cancel context.CancelFunc
	stop   chan struct{} // closed when no more spans will come
	done   chan struct{}

	reached      atomic.Bool // the endpoint has taken spans
	sent, failed int         // spans that the endpoint has taken and not taken; read after done
	err          error
}

// StartForwarder begins to send.
func StartForwarder(ctx context.Context, c ForwarderConfig) (*Forwarder, error) {
	f := &Forwarder{ForwarderConfig: c, client: NewTraceClient(c.To), stop: make(chan struct{}), done: make(chan struct{})}
	if err := f.client.Start(ctx); err != nil {
		return nil, fmt.Errorf("otlp endpoint %s: %w", c.To, err)
	}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(f.done)
		f.work(ctx)
	}()
	return f, nil
}

// work sends batch after batch.
func (f *Forwarder) work(ctx context.Context) {
	stop := f.stop
	for {
		batch, more := f.Next()
		if batch != nil {
			f.send(ctx, batch)
			continue
		}
		if stop == nil {
			return
		}
		select {
		case <-more:
		case <-stop:
			stop = nil // take what has come meanwhile, then end
		}
	}
}

func (f *Forwarder) send(ctx context.Context, batch []byte) {
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
				if f.Keep(s) {
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
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	err := f.client.UploadTraces(ctx, data.GetResourceSpans())
	failed := 0
	if partial, ok := errors.AsType[*PartialError](err); ok {
		failed = min(partial.Rejected, n)
	} else if err != nil {
		failed = n
	}
	if err != nil {
		f.err = err // the newest says enough; they are alike
	}
	f.failed += failed
	f.sent += n - failed
	if failed < n {
		f.reached.Store(true)
	}
}

// Abandon ends without sending the rest and reports nothing: the run has failed for another reason.
func (f *Forwarder) Abandon(ctx context.Context) {
	f.cancel()
	close(f.stop)
	<-f.done
	_ = f.client.Stop(ctx)
}

// Finish sends the rest, for up to ten seconds, and returns how many spans were sent. The error counts those that were not.
func (f *Forwarder) Finish(ctx context.Context) (int, error) {
	close(f.stop)
	timeout := finishTimeout
	if !f.reached.Load() {
		timeout = silentTimeout
	}
	timer := time.AfterFunc(timeout, f.cancel)
	<-f.done
	timer.Stop()
	f.cancel()
	err := f.client.Stop(ctx)
	if f.failed > 0 {
		return f.sent, fmt.Errorf("%d spans were not taken by the otlp endpoint %s: is a collector or Jaeger listening there? %w", f.failed, f.To, f.err)
	}
	return f.sent, err
}
