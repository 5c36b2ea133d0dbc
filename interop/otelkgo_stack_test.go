//go:build stack

package interop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// serve is a service in a process of its own, on the official SDK, otelhttp, and otelkgo or, with an AMQP_URL, otelamqp.
func serve(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 4*stepWithin)
	defer cancel()
	exporter, err := otlptracehttp.New(ctx) // sends to OTEL_EXPORTER_OTLP_ENDPOINT
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter)) // named by OTEL_SERVICE_NAME
	if url := os.Getenv("AMQP_URL"); url != "" {
		return errors.Join(serveAMQP(ctx, name, url, provider), provider.Shutdown(ctx))
	}
	in, err := otelkgo.New(otelkgo.WithTracerProvider(provider), otelkgo.WithPropagator(propagation.TraceContext{}))
	if err != nil {
		return err
	}
	opts := []kgo.Opt{kgo.SeedBrokers(os.Getenv("KAFKA_ADDR")), kgo.ClientID(name), kgo.WithHooks(in.Hooks()...)}
	if name == "shop" {
		err = kafkaShop(ctx, provider, opts)
	} else {
		err = billing(ctx, provider.Tracer("interop"), in, opts)
	}
	return errors.Join(err, provider.Shutdown(ctx))
}

func kafkaShop(ctx context.Context, provider trace.TracerProvider, opts []kgo.Opt) error {
	client, err := kgo.NewClient(append(opts, kgo.ProducerLinger(0))...)
	if err != nil {
		return err
	}
	defer client.Close()
	return shop(ctx, provider, func(ctx context.Context) error {
		return client.ProduceSync(ctx, &kgo.Record{Topic: os.Getenv("TOPIC"), Key: []byte("o-1"), Value: []byte("{}")}).FirstErr()
	})
}

// shop answers one POST /orders after the broker has acknowledged the order.
func shop(ctx context.Context, provider trace.TracerProvider, send func(context.Context) error) error {
	place := func(w http.ResponseWriter, r *http.Request) {
		say("request")
		if err := send(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		say("acknowledged")
		w.WriteHeader(http.StatusAccepted)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /orders", otelhttp.NewHandler(http.HandlerFunc(place), "POST /orders", otelhttp.WithTracerProvider(provider)))
	server := httptest.NewServer(mux)
	defer server.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/orders", nil)
	if err != nil {
		return err
	}
	response, err := server.Client().Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("shop answers %s", response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// billing is ready to take an order, but takes it only when a line on standard input says so.
func billing(ctx context.Context, tracer trace.Tracer, in *otelkgo.Instrumentation, opts []kgo.Opt) error {
	client, err := kgo.NewClient(append(opts, kgo.ConsumerGroup("billing"), kgo.ConsumeTopics(os.Getenv("TOPIC")), kgo.DisableAutoCommit())...)
	if err != nil {
		return err
	}
	defer client.Close()
	say("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	fetches := in.PollFetches(ctx, client)
	if err := fetches.Err(); err != nil {
		return err
	}
	for _, r := range fetches.Records() {
		err := in.Process(ctx, r, func(ctx context.Context, _ *kgo.Record) error {
			say("handling")
			_, span := tracer.Start(ctx, "charge")
			time.Sleep(50 * time.Millisecond) // the work
			span.End()
			say("charged")
			return nil
		})
		if err != nil {
			return err
		}
	}
	return in.CommitOffsets(ctx, client, client.UncommittedOffsets())
}

// say tells the test what happened, and when.
func say(event string) { fmt.Printf("{\"event\":%q,\"at\":\"%d\"}\n", event, time.Now().UnixNano()) }
