package doctor_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/propagation"

	"tracelab/doctor"
	"tracelab/internal/testkit"
	"tracelab/services"
	"tracelab/services/flows"
)

// breakage is one hop that is broken, and how it must be named.
type breakage struct {
	name string
	odds map[string]odd // how services are started; nil: on the lab that others use, too
	cut  func(*testing.T, *testLab, *doctor.Config)
	want string   // the first broken check
	seen []string // in what was seen
	fix  string   // in what to do
}

// atOnce is how many labs are looked at at the same time: most of it is waiting.
const atOnce = 6

// TestEachBrokenHopIsNamed breaks exactly one hop, and wants the doctor to name that one first.
func TestEachBrokenHopIsNamed(t *testing.T) {
	shared := startLab(t, nil)
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, b := range breakages() {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(b.name, func(t *testing.T) { b.check(t, shared) })
		})
	}
}

func (b breakage) check(t *testing.T, l *testLab) {
	if b.odds != nil {
		l = startLab(t, b.odds)
	}
	config := l.config
	if b.cut != nil {
		b.cut(t, l, &config)
	}
	// A machine that is busy with other things takes longer than the doctor waits. The hop stays broken, so with more time it
	// must be named all the same.
	var wrong []string
	for _, config.Timeout = range []time.Duration{12 * time.Second, 30 * time.Second, time.Minute} {
		report := examine(t, config)
		if wrong = b.misnamed(report); len(wrong) == 0 {
			return
		}
		t.Logf("in %v: %s\n%s", config.Timeout, strings.Join(wrong, "; "), lines(report))
	}
	t.Error(strings.Join(wrong, "; "))
}

// misnamed says what a report has wrong.
func (b breakage) misnamed(report doctor.Report) []string {
	var wrong []string
	if report.FirstBroken == nil || *report.FirstBroken != b.want {
		wrong = append(wrong, fmt.Sprintf("want %s broken first", b.want))
	}
	for _, c := range report.Checks {
		switch {
		case c.Status == doctor.Failed && c.Name == b.want:
			for _, words := range b.seen {
				if !strings.Contains(c.Seen, words) {
					wrong = append(wrong, fmt.Sprintf("seen %q, want %q in it", c.Seen, words))
				}
			}
			if c.Fix == "" || !strings.Contains(c.Fix, b.fix) {
				wrong = append(wrong, fmt.Sprintf("fix %q, want %q in it", c.Fix, b.fix))
			}
		case c.Status == doctor.Failed:
			wrong = append(wrong, fmt.Sprintf("%s is broken, too: %s", c.Name, c.Seen))
		}
	}
	return wrong
}

func breakages() []breakage {
	var all []breakage
	for _, some := range [][]breakage{kafkaBreakages(), serviceBreakages(), otlpBreakages(), collectorBreakages(), traceBreakages(), screenBreakages()} {
		all = append(all, some...)
	}
	return all
}

func kafkaBreakages() []breakage {
	return []breakage{
		{name: "kafka is down", want: "kafka", seen: []string{"connection refused"}, fix: "start Kafka",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Kafka = []string{nobody(t)} }},
		{name: "kafka's port is another's", want: "kafka", seen: []string{"HTTP/1 is spoken there"}, fix: "--kafka",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) {
				_, overHTTP := l.receiver.Addresses()
				c.Kafka = []string{overHTTP}
			}},
		{name: "kafka advertises a wrong address", want: "kafka-listener", seen: []string{"broker 0 says that it is at 127.0.0.1:", "connection refused"}, fix: "advertised.listeners",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Kafka = []string{misadvertised(t)} }},
		{name: "another kafka", want: "kafka-topics", seen: []string{"order.placed", "there are 0 topics"}, fix: "--kafka",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) {
				other, err := kfake.NewCluster(kfake.NumBrokers(1))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(other.Close)
				c.Kafka = other.ListenAddrs()
			}},
		{name: "a prefix", want: "kafka-topics", seen: []string{"mine.order.placed"}, fix: "--prefix",
			cut: func(_ *testing.T, _ *testLab, c *doctor.Config) { c.Prefix = "mine." }},
		{name: "a group without members", want: "kafka-groups", seen: []string{"group payment"}, fix: "start payment with --kafka",
			odds: map[string]odd{"payment": {noKafka: true}}},
		{name: "a group that falls behind", want: "kafka-lag", seen: []string{"group payment is 6", " records behind"}, fix: "payment handles fewer records than arrive",
			odds: map[string]odd{}, cut: func(t *testing.T, l *testLab, _ *doctor.Config) { pile(t, l) }},
	}
}

// misadvertised starts a Kafka that tells its clients an address where nobody listens.
func misadvertised(t *testing.T) string {
	t.Helper()
	var real net.Listener
	told := nobody(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		real = l
		tcp, err := net.ResolveTCPAddr("tcp", told)
		return elsewhere{l, tcp}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return real.Addr().String()
}

// elsewhere is a listener that says it is at another address.
type elsewhere struct {
	net.Listener
	told net.Addr
}

// Addr is the address that it tells.
func (e elsewhere) Addr() net.Addr { return e.told }

// pile puts records on a topic of a group whose commits the broker refuses.
func pile(t *testing.T, l *testLab) {
	t.Helper()
	l.kafka.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		commit := request.(*kmsg.OffsetCommitRequest)
		if commit.Group != "payment" {
			return nil, nil, false
		}
		response := commit.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, topic := range commit.Topics {
			refused := kmsg.NewOffsetCommitResponseTopic()
			refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				one := kmsg.NewOffsetCommitResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, kerr.CoordinatorLoadInProgress.Code
				refused.Partitions = append(refused.Partitions, one)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(l.kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 60 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "stock.reserved", Value: []byte("no event")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func serviceBreakages() []breakage {
	return []breakage{
		{name: "the gateway is down", want: "gateway", seen: []string{"/healthz: connection refused"}, fix: "tracelab serve",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Gateway = "http://" + nobody(t) }},
		{name: "a page in place of the gateway", want: "gateway", seen: []string{"HTML page"}, fix: "--gateway",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Gateway = l.jaeger.url }},
		{name: "a service is down", want: "services", seen: []string{"503", "the gateway waits for payment"}, fix: "the log of payment",
			odds: map[string]odd{"payment": {absent: true}}},
		{name: "a wrong http address", want: "order-rest", seen: []string{"503"}, fix: "payment",
			odds: map[string]odd{"orders": {http: map[string]string{"payment": "127.0.0.1:1"}}}},
		{name: "a wrong grpc address", want: "order-grpc", seen: []string{"503"}, fix: "payment",
			odds: map[string]odd{"orders": {grpc: map[string]string{"payment": "127.0.0.1:1"}}}},
		{name: "a topic that takes no record", want: "order-kafka", seen: []string{"stops before payment.Charge", "group payment has committed up to 0"}, fix: "the log of payment",
			odds: map[string]odd{}, cut: func(_ *testing.T, l *testLab, _ *doctor.Config) { refuse(l, "payment.captured") }},
	}
}

// refuse lets the broker take nothing for a topic.
func refuse(l *testLab, topic string) {
	var id [16]byte
	if info := l.kafka.TopicInfo(topic); info != nil {
		id = info.TopicID
	}
	l.kafka.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		l.kafka.KeepControl()
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range produce.Topics {
			if asked.Topic != topic && asked.TopicID != id {
				return nil, nil, false
			}
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
				refused.Partitions = append(refused.Partitions, one)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
}

func otlpBreakages() []breakage {
	to := func(address func(*testing.T, *testLab) string) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) { c.OTLP = []string{address(t, l)} }
	}
	overGRPC := func(l *testLab) string { address, _ := l.receiver.Addresses(); return address }
	overHTTP := func(l *testLab) string { _, address := l.receiver.Addresses(); return address }
	return []breakage{
		{name: "nobody takes otlp over grpc", want: "otlp", seen: []string{"connection refused"}, fix: "start the collector",
			cut: to(func(t *testing.T, _ *testLab) string { return nobody(t) })},
		{name: "nobody takes otlp over http", want: "otlp", seen: []string{"connection refused"}, fix: "start the collector",
			cut: to(func(t *testing.T, _ *testLab) string { return "http://" + nobody(t) })},
		{name: "the port for http", want: "otlp", seen: []string{"HTTP/1 is spoken there"}, fix: "that is a port for HTTP: use its URL",
			cut: to(func(_ *testing.T, l *testLab) string { return overHTTP(l) })},
		{name: "the port for grpc", want: "otlp", seen: []string{"HTTP/2 is spoken there"}, fix: "without http://",
			cut: to(func(_ *testing.T, l *testLab) string { return "http://" + overGRPC(l) })},
		{name: "tls where plaintext is spoken", want: "otlp", seen: []string{"plaintext is spoken there, not TLS"}, fix: "use http:// instead",
			cut: to(func(_ *testing.T, l *testLab) string { return "https://" + overHTTP(l) })},
		{name: "plaintext grpc where tls is spoken", want: "otlp", seen: []string{"TLS is spoken there, not plaintext"}, fix: "OTEL_EXPORTER_OTLP_CERTIFICATE",
			cut: to(func(t *testing.T, _ *testLab) string { return strings.TrimPrefix(overTLS(t, "h2"), "https://") })},
		{name: "plaintext http where tls is spoken", want: "otlp", seen: []string{"TLS is spoken there, not plaintext"}, fix: "https://",
			cut: to(func(t *testing.T, _ *testLab) string {
				return strings.Replace(overTLS(t, "http/1.1"), "https", "http", 1)
			})},
		{name: "a certificate that nobody knows", want: "otlp", seen: []string{"certificate"}, fix: "OTEL_EXPORTER_OTLP_CERTIFICATE",
			cut: to(func(t *testing.T, _ *testLab) string { return overTLS(t, "http/1.1") })},
		{name: "a black hole", want: "otlp", seen: []string{"the server accepts the connection and never answers"}, fix: "--otlp",
			cut: to(func(t *testing.T, _ *testLab) string { return blackHole(t) })},
		{name: "a full disk", want: "otlp", seen: []string{"no space left on device"}, fix: "make room",
			cut: to(func(t *testing.T, _ *testLab) string { return refusing(t, "failed to write: no space left on device") })},
		{name: "a refusal", want: "otlp", seen: []string{"data refused"}, fix: "memory_limiter",
			cut: to(func(t *testing.T, _ *testLab) string { return refusing(t, "data refused due to high memory usage") })},
	}
}

// overTLS starts a server with a certificate that nobody knows.
func overTLS(t *testing.T, protocol string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{NextProtos: []string{protocol}}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// blackHole accepts connections and says nothing.
func blackHole(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

// refusing is an endpoint for OTLP over HTTP that takes nothing.
func refusing(t *testing.T, why string) string {
	t.Helper()
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, why, http.StatusInsufficientStorage) }))
}

func collectorBreakages() []breakage {
	behind := func(state string) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) {
			metrics := newCollector(t, l.collector)
			metrics.set(state)
			c.CollectorMetrics = metrics.url
		}
	}
	return []breakage{
		{name: "the collector is down", want: "collector", seen: []string{"connection refused"}, fix: "start the collector",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Collector = "http://" + nobody(t) }},
		{name: "the collector is not well", want: "collector", seen: []string{"503", "StatusPermanentError"}, fix: "its log",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Collector = l.metrics.url + "/unwell/status" }},
		{name: "a page in place of the collector's metrics", want: "collector-metrics", seen: []string{"HTML page"}, fix: "--collector-metrics",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.CollectorMetrics = l.jaeger.url }},
		{name: "metrics that are not the collector's", want: "collector-metrics", seen: []string{"no metric there is a collector's own"}, fix: "8888",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.CollectorMetrics = l.screens.url + "/ready" }},
		{name: "nobody behind the collector", want: "collector-export", seen: []string{"0 spans sent", "no connection", "UNAVAILABLE"}, fix: "COLLECTOR_JAEGER",
			cut: behind("UNAVAILABLE")},
		{name: "a black hole behind the collector", want: "collector-export", seen: []string{"DEADLINE_EXCEEDED", "does not answer in time"}, fix: "COLLECTOR_JAEGER",
			cut: behind("DEADLINE_EXCEEDED")},
		{name: "no otlp behind the collector", want: "collector-export", seen: []string{"jaeger:4317 answers UNIMPLEMENTED", "were given up"}, fix: "these spans are lost",
			cut: behind("UNIMPLEMENTED")},
		{name: "no room in the queue", want: "collector-export", seen: []string{"found no place"}, fix: "COLLECTOR_QUEUE",
			cut: behind("no room")},
		{name: "a queue that is nearly full", want: "collector-export", seen: []string{"90 of 100 places", "nearly full"}, fix: "slower",
			cut: behind("nearly full")},
		{name: "a processor that drops spans", want: "collector-export", seen: []string{"did not reach the exporter"}, fix: "processors",
			cut: behind("dropped")},
		{name: "jaeger is down", want: "jaeger", seen: []string{"connection refused"}, fix: "start Jaeger",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Jaeger, c.JaegerHealth = "http://"+nobody(t), "" }},
		{name: "jaeger's health is down", want: "jaeger", seen: []string{"/status: connection refused"}, fix: "--jaeger-health",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.JaegerHealth = "http://" + nobody(t) }},
		{name: "another server in place of jaeger", want: "jaeger", seen: []string{"not Jaeger"}, fix: "16686",
			cut: func(_ *testing.T, l *testLab, c *doctor.Config) { c.Jaeger = l.numbers.url }},
		{name: "another jaeger", want: "otlp-to-jaeger", seen: []string{"Jaeger does not have it"}, fix: "COLLECTOR_JAEGER",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Jaeger = newJaeger(t, testkit.NewSpanStore()).url }},
	}
}

func traceBreakages() []breakage {
	everybody := map[string]odd{}
	for _, name := range flows.Order().Services() {
		everybody[name] = odd{noOTLP: true}
	}
	return []breakage{
		{name: "a service without otlp", want: "trace-rest", seen: []string{"payment worked on order", "missing: payment)"}, fix: "how payment is started: --otlp",
			odds: map[string]odd{"payment": {noOTLP: true}}},
		{name: "a service with a wrong otlp port", want: "trace-rest", seen: []string{"missing: shipping)"}, fix: "how shipping is started: --otlp",
			odds: map[string]odd{"shipping": {otlp: "127.0.0.1:1"}}},
		{name: "no service has otlp", want: "trace-rest", seen: []string{"no span of any service"}, fix: "how gateway is started",
			odds: everybody},
		{name: "a service that takes no context", want: "trace-rest", seen: []string{"from orders to payment over HTTP", "payment.Charge of payment is in another trace"}, fix: "traceparent",
			odds: map[string]odd{"payment": {propagator: propagation.Baggage{}}}},
		{name: "a gateway that takes no context", want: "trace-rest", seen: []string{"from the doctor to gateway over HTTP", "is in another trace"}, fix: "traceparent",
			odds: map[string]odd{services.Gateway: {propagator: propagation.Baggage{}}}},
		{name: "a service that takes nothing at all", want: "trace-rest", seen: []string{"from orders to payment over HTTP", "is in another trace"}, fix: "baggage",
			odds: map[string]odd{"payment": {propagator: propagation.NewCompositeTextMapPropagator()}}},
		{name: "messages lose the context", want: "trace-kafka", seen: []string{"from inventory to payment by a message on stock.reserved"}, fix: "traceparent",
			odds: map[string]odd{"payment": {propagator: forgetful{services.Propagator(discard), "otelkgo"}}}},
	}
}

// forgetful takes no trace context out of a message that an instrumentation has received.
type forgetful struct {
	propagation.TextMapPropagator
	instrumentation string // its package
}

// Extract goes by the carrier's package.
func (f forgetful) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	if strings.Contains(fmt.Sprintf("%T", carrier), f.instrumentation) {
		return propagation.Baggage{}.Extract(ctx, carrier)
	}
	return f.TextMapPropagator.Extract(ctx, carrier)
}

func screenBreakages() []breakage {
	with := func(change func(*prometheusServer)) func(*testing.T, *testLab, *doctor.Config) {
		return func(t *testing.T, l *testLab, c *doctor.Config) {
			numbers := newPrometheus(t, l.collector)
			change(numbers)
			c.Prometheus = numbers.url
		}
	}
	return []breakage{
		{name: "prometheus is down", want: "prometheus", seen: []string{"connection refused"}, fix: "start Prometheus",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Prometheus = "http://" + nobody(t) }},
		{name: "prometheus scrapes nothing", want: "prometheus-targets", seen: []string{"it has no scrape targets"}, fix: "scrape_configs",
			cut: with(func(s *prometheusServer) { s.targets = "" })},
		{name: "a target is down", want: "prometheus-targets", seen: []string{"http://collector:8889/metrics (job services) is down: no route"}, fix: "prometheus.yaml",
			cut: with(func(s *prometheusServer) {
				s.targets = `{"scrapeUrl":"http://collector:8889/metrics","health":"down","lastError":"no route","labels":{"job":"services"}}`
			})},
		{name: "metrics of a service do not arrive", want: "prometheus-metrics", seen: []string{"of payment has counted the order"}, fix: "how payment is started",
			cut: with(func(s *prometheusServer) { s.stuck["http_server_request_duration"] = true })},
		{name: "spans are not counted", want: "prometheus-spans", seen: []string{"traces_span_metrics_calls_total of payment"}, fix: "span_metrics",
			cut: with(func(s *prometheusServer) { s.stuck["traces_span_metrics_calls_total"] = true })},
		{name: "no exemplars", want: "prometheus-exemplars", seen: []string{"no response time metric has an exemplar"}, fix: "exemplar-storage",
			cut: with(func(s *prometheusServer) { s.exemplars = false })},
		{name: "grafana is down", want: "grafana", seen: []string{"connection refused"}, fix: "start Grafana",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Grafana = "http://" + nobody(t) }},
		{name: "pyroscope is down", want: "pyroscope", seen: []string{"connection refused"}, fix: "start Pyroscope",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) { c.Pyroscope = "http://" + nobody(t) }},
		{name: "no profiles", want: "pyroscope", seen: []string{"no profile of the services"}, fix: "--pyroscope",
			cut: func(t *testing.T, _ *testLab, c *doctor.Config) {
				screens := newScreens(t)
				screens.profiled = `["pyroscope"]`
				c.Pyroscope = screens.url
			}},
	}
}
