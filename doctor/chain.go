package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/journey/source/jaeger"
	"tracelab/services"
)

// examination is one walk along the chain, and what the checks so far have left for those behind them.
type examination struct {
	config Config
	http   *http.Client
	run    string // the id of the run that the probe orders belong to
	probe  *probe
	kafka  *kgo.Client  // nil without an address
	admin  *kadm.Client // of the same
	jaeger jaeger.Store // nil without an address

	topicsSeen bool // the topics of the flow are there

	before  exports // what the collector had done before the first span came
	sent    *placed // the probe span; nil until an OTLP endpoint has taken it
	orders  map[services.Form]*placed
	counted map[string]series // by query, what Prometheus had before the orders
}

func newExamination(ctx context.Context, c Config) (*examination, error) {
	e := &examination{config: c, http: newClient(), orders: map[services.Form]*placed{},
		run: "doctor-" + time.Now().UTC().Format("20060102T150405") + "-" + uuid.NewString()[:8]}
	var err error
	if e.probe, err = newProbe(c, e.run); err != nil {
		return nil, err
	}
	if len(c.Kafka) > 0 {
		if e.kafka, err = openKafka(ctx, c.Kafka); err != nil {
			return nil, err
		}
		e.admin = kadm.NewClient(e.kafka)
	}
	if c.Jaeger != "" {
		if e.jaeger, err = jaeger.Open(c.Jaeger, jaeger.WithHTTPClient(e.http)); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

// close gives everything back.
func (e *examination) close() {
	if e.kafka != nil {
		e.kafka.Close()
	}
	if e.jaeger != nil {
		_ = e.jaeger.Close() // nothing was written
	}
	e.probe.close()
}

// probedForms are the forms of the probe orders: between them they take every carrier.
func probedForms() []services.Form {
	return []services.Form{services.REST, services.GRPC, services.Kafka}
}

// chain lists the checks. Each stands behind those that it builds on: Kafka comes before the services, which do not
// start without it, and Jaeger before the collector's way to it.
func (e *examination) chain() []check {
	c := e.config
	noKafka, noJaeger := without("--kafka", len(c.Kafka) > 0), without("--jaeger", c.Jaeger != "")
	noOTLP, noPrometheus := without("--otlp", len(c.OTLP) > 0), without("--prometheus", c.Prometheus != "")
	checks := []check{
		{"kafka", nil, noKafka, 2 * oneAnswer, e.kafkaReachable},
		{"kafka-listener", []string{"kafka"}, noKafka, 2 * oneAnswer, e.kafkaListener},
		{"gateway", nil, "", oneAnswer, e.gatewayReachable},
		{"services", []string{"gateway"}, "", 2 * oneAnswer, e.servicesReady},
		{"kafka-topics", []string{"kafka-listener"}, noKafka, oneAnswer, e.kafkaTopics},
		{"kafka-groups", []string{"kafka-topics", "services"}, noKafka, 2 * oneAnswer, e.kafkaGroups},
		{"kafka-lag", []string{"kafka-groups"}, noKafka, 3 * oneAnswer, e.kafkaLag},
		{"collector", nil, without("--collector", c.Collector != ""), oneAnswer, e.collectorHealthy},
		{"collector-metrics", nil, without("--collector-metrics", c.CollectorMetrics != ""), oneAnswer, e.collectorMetrics},
		{"otlp", nil, noOTLP, 2 * oneAnswer * time.Duration(max(1, len(c.OTLP))), e.otlpTakesSpans},
		{"jaeger", nil, noJaeger, 2 * oneAnswer, e.jaegerAnswers},
		{"collector-export", []string{"collector-metrics", "otlp", "jaeger"}, first(noOTLP, without("--collector-metrics", c.CollectorMetrics != "")),
			exportPatience, e.collectorExports},
		{"otlp-to-jaeger", []string{"otlp", "jaeger", "collector-export"}, first(noOTLP, noJaeger), deliveryPatience, e.delivered},
		{"prometheus", nil, noPrometheus, oneAnswer, e.prometheusAnswers},
	}
	for _, form := range probedForms() {
		needs, absent := []string{"services"}, ""
		if form == services.Kafka {
			needs, absent = append(needs, "kafka-lag"), noKafka
		}
		checks = append(checks, check{"order-" + string(form), needs, absent, orderPatience,
			func(ctx context.Context) (string, error) { return e.order(ctx, form) }})
	}
	for i, form := range probedForms() {
		needs, absent := []string{"otlp-to-jaeger", "order-" + string(form)}, first(noOTLP, noJaeger)
		if form == services.Kafka {
			absent = first(absent, noKafka)
		}
		if i > 0 { // a service whose spans do not arrive is in every form: once is enough
			needs = append(needs, "trace-"+string(probedForms()[i-1]))
		}
		checks = append(checks, check{"trace-" + string(form), needs, absent, tracePatience,
			func(ctx context.Context) (string, error) { return e.trace(ctx, form) }})
	}
	return append(checks,
		check{"prometheus-targets", []string{"prometheus"}, noPrometheus, targetPatience, e.targetsUp},
		check{"prometheus-metrics", []string{"prometheus-targets", "order-rest"}, noPrometheus, scrapePatience, e.metricsArrive},
		check{"prometheus-spans", []string{"prometheus-targets", "trace-rest"}, first(noPrometheus, noOTLP), scrapePatience, e.spanMetricsArrive},
		check{"prometheus-exemplars", []string{"prometheus-spans"}, first(noPrometheus, noOTLP), scrapePatience, e.exemplarsArrive},
		check{"grafana", nil, without("--grafana", c.Grafana != ""), oneAnswer, e.grafanaAnswers},
		check{"pyroscope", nil, without("--pyroscope", c.Pyroscope != ""), profilePatience, e.profilesArrive},
	)
}

// without says why a check is left out, or "" when the address is there.
func without(flag string, there bool) string {
	if there {
		return ""
	}
	return "no address: name one with " + flag
}

// first is the first reason that there is.
func first(reasons ...string) string {
	for _, reason := range reasons {
		if reason != "" {
			return reason
		}
	}
	return ""
}

// list writes names one after the other.
func list(names []string) string { return strings.Join(names, ", ") }

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
