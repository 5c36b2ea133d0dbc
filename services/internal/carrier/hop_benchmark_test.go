package carrier_test

import (
	"tracelab/services/internal/carrier"
	carriergrpc "tracelab/services/internal/carrier/grpc"
	carrierhttp "tracelab/services/internal/carrier/http"
	"tracelab/services/internal/carrier/kafka"

	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	"tracelab/internal/telemetry"
	"tracelab/otelkgo"
	"tracelab/services/internal/orderpb"
)

// A hop of the lab, beside the same hop written by hand with the same stock instrumentation: what the transport costs
// on top. Both sides of each pair make the same spans.
//
//	go test -run '^$' -bench Hop -count 10 ./services/internal/carrier
func BenchmarkHop(b *testing.B) {
	for _, h := range hops() {
		b.Run(h.name+"/lab", func(b *testing.B) { benchHop(b, h.lab) })
		b.Run(h.name+"/hand", func(b *testing.B) { benchHop(b, h.hand) })
	}
}

// BenchmarkHopRatio runs both sides of each pair in turns of 20 hops and reports the median of their ratios in CPU time, so
// that it can be read on a machine that does other work, too.
//
//	go test -run '^$' -bench HopRatio -benchtime 200x ./services/internal/carrier
func BenchmarkHopRatio(b *testing.B) {
	for _, h := range hops() {
		b.Run(h.name, func(b *testing.B) {
			provider := benchProvider(b)
			ctx, span := provider.Tracer.Start(b.Context(), "bench")
			defer span.End()
			sides := [2]func(context.Context) error{h.lab(b, provider), h.hand(b, provider)}
			turn := func(do func(context.Context) error, n int) float64 {
				start := cpuTime(b)
				for range n {
					if err := do(ctx); err != nil {
						b.Fatal(err)
					}
				}
				return float64(cpuTime(b) - start)
			}
			for _, do := range sides {
				turn(do, 100) // connections, groups, topics
			}
			var ratios []float64
			for b.Loop() {
				lab := turn(sides[0], 20)
				ratios = append(ratios, lab/turn(sides[1], 20))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "lab:hand")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// makeHop starts what a hop needs, and returns a function that makes it once.
type makeHop func(*testing.B, *telemetry.Provider) func(context.Context) error

type hop struct {
	name      string
	lab, hand makeHop
}

func hops() []hop {
	return []hop{
		{"http", labHTTP, handHTTP},
		{"grpc", labGRPC, handGRPC},
		{"kafka", labKafka, handKafka},
	}
}

func benchHop(b *testing.B, start makeHop) {
	provider := benchProvider(b)
	do := start(b, provider)
	ctx, span := provider.Tracer.Start(b.Context(), "bench")
	defer span.End()
	if err := do(ctx); err != nil { // connections, groups, topics
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := do(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

var dial = (&net.Dialer{}).DialContext

func benchProvider(b *testing.B) *telemetry.Provider {
	b.Helper()
	provider, err := telemetry.Config{
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}.New("bench")
	if err != nil {
		b.Fatal(err)
	}
	return provider
}

func benchOrder() *orderpb.Order {
	return &orderpb.Order{Id: "018f-order", Body: map[string]string{"customer": "customer-7", "sku": "cup", "quantity": "2"}}
}

// benchEvent leads to the step that the hops call.
func benchEvent() *orderpb.Event {
	return &orderpb.Event{Order: benchOrder(), Steps: []string{"orders.Accept"}}
}

func benchListener(b *testing.B) net.Listener {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func reserve(context.Context, *orderpb.Event) (*orderpb.Receipt, error) {
	return &orderpb.Receipt{Steps: []string{"inventory.Reserve"}}, nil
}

func labHTTP(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	server, l := carrierhttp.NewServer(provider), benchListener(b)
	server.Traced("POST /reserve", carrierhttp.Call(reserve))
	go func() { _ = server.Serve(l, 10) }()
	client := carrierhttp.NewClient(dial, provider, func(string) (string, error) { return l.Addr().String(), nil }, false)
	b.Cleanup(func() { client.Close(); _ = server.Shutdown(context.Background()) })
	return func(ctx context.Context) error {
		return client.Call(ctx, "inventory", "Reserve", benchEvent(), &orderpb.Receipt{})
	}
}

func handHTTP(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	options := []otelhttp.Option{otelhttp.WithTracerProvider(provider.Spans), otelhttp.WithMeterProvider(provider.Meters), otelhttp.WithPropagators(provider.Propagator)}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var order orderpb.Event
		if err == nil {
			err = protojson.Unmarshal(body, &order)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		receipt, _ := reserve(r.Context(), &order)
		answer, _ := protojson.Marshal(receipt)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
	mux := http.NewServeMux()
	mux.Handle("POST /reserve", otelhttp.NewHandler(handler, "reserve", options...))
	server, l := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}, benchListener(b)
	go func() { _ = server.Serve(l) }()
	client := &http.Client{Transport: otelhttp.NewTransport(&http.Transport{MaxIdleConnsPerHost: 256}, options...)}
	b.Cleanup(func() { client.CloseIdleConnections(); _ = server.Close() })
	return func(ctx context.Context) error {
		body, err := protojson.Marshal(benchEvent())
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.Addr().String()+"/reserve", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return protojson.Unmarshal(answer, &orderpb.Receipt{})
	}
}

const inventoryService = "tracelab.order.v1.Inventory"

func labGRPC(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	server, l := carriergrpc.NewServer(provider), benchListener(b)
	server.Handle(inventoryService, map[string]carriergrpc.Method{"Reserve": reserve})
	go func() { _ = server.Serve(l, 10) }()
	client := carriergrpc.NewClient(dial, provider, func(string) (string, error) { return l.Addr().String(), nil }, func(string) string { return inventoryService }, false)
	b.Cleanup(func() { _ = client.Close(); _ = server.Shutdown(context.Background()) })
	return func(ctx context.Context) error {
		return client.Call(ctx, "inventory", "Reserve", benchEvent(), &orderpb.Receipt{})
	}
}

func handGRPC(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	options := []otelgrpc.Option{otelgrpc.WithTracerProvider(provider.Spans), otelgrpc.WithMeterProvider(provider.Meters), otelgrpc.WithPropagators(provider.Propagator)}
	server, l := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(options...))), benchListener(b)
	server.RegisterService(&grpc.ServiceDesc{ServiceName: inventoryService, HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{MethodName: "Reserve",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &orderpb.Event{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return reserve(ctx, in)
		}}}}, struct{}{})
	go func() { _ = server.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(otelgrpc.NewClientHandler(options...)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(); server.Stop() })
	return func(ctx context.Context) error { // as generated code calls it
		return conn.Invoke(ctx, "/"+inventoryService+"/Reserve", benchEvent(), &orderpb.Receipt{}, grpc.StaticMethod())
	}
}

func benchBroker(b *testing.B) []string {
	b.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, "order.placed"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cluster.Close)
	return cluster.ListenAddrs()
}

// A Kafka hop here is: produced, acknowledged, polled, processed.
func labKafka(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	handled := make(chan struct{}, 1)
	k, err := kafka.Open(b.Context(), kafka.Config{BrokerConfig: carrier.BrokerConfig{
		Service: "inventory", Addresses: benchBroker(b), Topics: []string{"order.placed"}, Consume: []string{"order.placed"},
		Workers: 32, Dial: dial, Provider: provider, Relation: func(context.Context) (parent, link bool) { return true, true },
		Handle: func(context.Context, string, *orderpb.Event) error { handled <- struct{}{}; return nil },
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = k.Drain(context.Background()); k.Close(context.Background()) })
	return func(ctx context.Context) error {
		if err := k.Publish(ctx, "order.placed", &orderpb.Event{Order: benchOrder(), Steps: []string{"orders.Accept"}}); err != nil {
			return err
		}
		<-handled
		return nil
	}
}

func handKafka(b *testing.B, provider *telemetry.Provider) func(context.Context) error {
	in, err := otelkgo.New(otelkgo.WithTracerProvider(provider.Spans), otelkgo.WithMeterProvider(provider.Meters), otelkgo.WithPropagator(provider.Propagator))
	if err != nil {
		b.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(benchBroker(b)...), kgo.WithHooks(in.Hooks()...), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ConsumerGroup("inventory"), kgo.ConsumeTopics("order.placed"), kgo.DisableClientMetrics(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.AutoCommitInterval(100*time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	handled := make(chan error, 1)
	ctx, stop := context.WithCancel(b.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for ctx.Err() == nil {
			in.PollFetches(ctx, client).EachRecord(func(r *kgo.Record) {
				handled <- in.Process(ctx, r, func(_ context.Context, r *kgo.Record) error { return protojson.Unmarshal(r.Value, &orderpb.Event{}) })
			})
		}
	}()
	b.Cleanup(func() { stop(); <-stopped; client.Close() })
	return func(ctx context.Context) error {
		event := &orderpb.Event{Order: benchOrder(), Steps: []string{"orders.Accept"}}
		value, err := protojson.Marshal(event)
		if err != nil {
			return err
		}
		record := &kgo.Record{Topic: "order.placed", Key: []byte(event.GetOrder().GetId()), Value: value}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
		return <-handled
	}
}
