package services

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tracelab/internal/telemetry"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// BenchmarkOrder is the CPU time of the process for one order, everything in it (services, client, embedded Kafka):
// without metrics and labels, with the labels of profiles (and no profiler), with metrics. Waiting is no part of it, so it says what telemetry costs and not how long an order takes:
//
//	go test -run '^$' -bench 'Order/' -benchtime 2000x -count 6 ./services
func BenchmarkOrder(b *testing.B) {
	for _, form := range Forms() {
		for _, c := range []struct {
			name   string
			change func(*telemetry.Config)
		}{
			{"off", func(*telemetry.Config) {}},
			{"labels", func(t *telemetry.Config) { t.Profiled = true }},
			{"metrics", func(t *telemetry.Config) { t.Reader = func() sdkmetric.Reader { return sdkmetric.NewManualReader() } }},
		} {
			b.Run(string(form)+"/"+c.name, func(b *testing.B) { benchmarkOrder(b, form, c.change) })
		}
	}
}

// discarded is an exporter that costs nothing.
type discarded struct{}

func (discarded) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discarded) Shutdown(context.Context) error                             { return nil }

func benchmarkOrder(b *testing.B, form Form, change func(*telemetry.Config)) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		b.Fatal(err)
	}
	defer cluster.Close()
	queue := telemetry.NewQueue(discarded{}, telemetry.QueueConfig{Wait: true})
	propagator := Propagator(slog.New(slog.DiscardHandler))
	config := Config{Services: Names(), Kafka: cluster.ListenAddrs(), Workers: DefaultWorkers, Network: TCP(), Telemetry: telemetry.Config{
		Version: "bench", Host: "host", Processors: []sdktrace.SpanProcessor{queue}, Propagator: propagator, BaggageKeys: BaggageKeys(),
	}}
	change(&config.Telemetry)
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	system, err := Start(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := errors.Join(system.Shutdown(context.Background()), queue.Shutdown(context.Background())); err != nil {
			b.Error(err)
		}
	}()
	if err := system.Ready(ctx); err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	defer client.CloseIdleConnections()
	var number atomic.Int64
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := placeOne(client, system.Address(Gateway), form, propagator, int(number.Add(1))); err != nil {
				b.Error(err)
			}
		}
	})
	for system.keeper.ledger.left() > 0 {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/order")
}

func placeOne(client *http.Client, address string, form Form, propagator propagation.TextMapPropagator, number int) error {
	ctx, err := Experiment{Run: "bench", Form: form, Number: number}.WithBaggage(context.Background())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/orders", bytes.NewReader([]byte(`{"customer":"ada","sku":"tea-green","quantity":2}`)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	propagator.Inject(ctx, propagation.HeaderCarrier(req.Header))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// cpuTime is what the process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
