package doctor

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"tracelab/internal/promapi"
	"tracelab/journey/source/jaeger"
	"tracelab/services"
)

// Examine checks the chain from the brokers and the gateway to the screens, and reports every check in that order. A part that is
// broken is in the report; the error is for a Config with which no check can be made.
func Examine(ctx context.Context, c Config) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	p, err := openParts(ctx, c)
	if err != nil {
		return Report{}, err
	}
	defer p.close()
	w := &walk{longest: c.Timeout / 4, each: c.Each}
	p.examine(ctx, w)
	return reportOf(w.checks), nil
}

// parts has the clients of the parts of a lab. Nothing in it changes while the checks go on.
type parts struct {
	config     Config
	http       *http.Client
	probe      *probe
	kafka      *kafkaPart // nil without an address
	jaeger     jaegerPart
	prometheus promapi.Client
}

// openParts makes the clients. Nothing is asked yet.
func openParts(ctx context.Context, c Config) (_ *parts, err error) {
	p := &parts{config: c, http: newClient(), jaeger: jaegerPart{address: c.Jaeger}}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	p.prometheus = promapi.Client{URL: c.Prometheus, Do: func(req *http.Request) ([]byte, error) { return do(p.http, req) }}
	run := "doctor-" + time.Now().UTC().Format("20060102T150405") + "-" + uuid.NewString()[:8]
	if p.probe, err = newProbe(c, run); err != nil {
		return nil, err
	}
	if len(c.Kafka) > 0 {
		if p.kafka, err = openKafkaPart(ctx, c); err != nil {
			return nil, err
		}
	}
	if c.Jaeger != "" {
		if p.jaeger.store, err = jaeger.Open(c.Jaeger, jaeger.WithHTTPClient(p.http)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// close closes all clients.
func (p *parts) close() {
	if p.kafka != nil {
		p.kafka.client.Close()
	}
	if p.jaeger.store != nil {
		_ = p.jaeger.store.Close() // nothing was written
	}
}

// examine makes the checks. Each comes after those that it builds on and gets their outcomes: Kafka comes before the
// services, which do not start without it, and Jaeger before the collector's way to it.
func (p *parts) examine(ctx context.Context, w *walk) {
	flow := p.checkFlow(ctx, w)
	spans := p.checkSpans(ctx, w)
	prometheus := look(ctx, w, check{name: "prometheus", absent: p.noPrometheus(), within: oneAnswer}, p.prometheusAnswers)
	var before counts
	if prometheus.passed() {
		before = p.countsNow(ctx)
	}
	orders := p.checkOrders(ctx, w, flow, spans.taken)
	orders[p.config.rabbitForm()] = p.checkQueues(ctx, w, flow, spans.taken)
	p.checkView(ctx, w, orders)
	traces := p.checkTraces(ctx, w, spans, orders)
	p.checkMetrics(ctx, w, prometheus.ended, spans, orders, traces, before)
	look(ctx, w, check{name: "grafana", absent: missing("--grafana", p.config.Grafana != ""), within: oneAnswer}, p.grafanaAnswers)
	look(ctx, w, check{name: "pyroscope", absent: missing("--pyroscope", p.config.Pyroscope != ""), within: profilesWithin}, p.profilesArrive)
}

// flowOutcomes are the outcomes of the checks that orders build on.
type flowOutcomes struct {
	services ended
	topics   outcome[nothing]
	lag      ended
	rabbitmq ended
}

// checkFlow checks Kafka and the services.
func (p *parts) checkFlow(ctx context.Context, w *walk) flowOutcomes {
	noKafka := p.noKafka()
	reachable := look(ctx, w, check{name: "kafka", absent: noKafka, within: 2 * oneAnswer},
		func(ctx context.Context) (nothing, string, error) { return p.kafka.reachable(ctx) })
	listener := look(ctx, w, check{name: "kafka-listener", needs: []ended{reachable.ended}, absent: noKafka, within: 2 * oneAnswer},
		func(ctx context.Context) (nothing, string, error) { return p.kafka.listenersAnswer(ctx) })
	rabbitmq := p.checkRabbitMQ(ctx, w)
	gateway := look(ctx, w, check{name: "gateway", within: oneAnswer}, p.gatewayReachable)
	ready := look(ctx, w, check{name: "services", needs: []ended{gateway.ended}, within: 2 * oneAnswer}, p.servicesReady)
	topics := look(ctx, w, check{name: "kafka-topics", needs: []ended{listener.ended}, absent: noKafka, within: oneAnswer},
		func(ctx context.Context) (nothing, string, error) { return p.kafka.topicsExist(ctx) })
	groups := look(ctx, w, check{name: "kafka-groups", needs: []ended{topics.ended, ready.ended}, absent: noKafka, within: 2 * oneAnswer},
		func(ctx context.Context) (nothing, string, error) { return p.kafka.groupsHaveMembers(ctx) })
	lag := look(ctx, w, check{name: "kafka-lag", needs: []ended{groups.ended}, absent: noKafka, within: 3 * oneAnswer},
		func(ctx context.Context) (nothing, string, error) { return p.kafka.groupsKeepUp(ctx) })
	return flowOutcomes{ready.ended, topics, lag.ended, rabbitmq}
}

// spanOutcomes are the outcomes of the way from an OTLP endpoint to Jaeger.
type spanOutcomes struct {
	taken     outcome[*placed] // the probe span that the first OTLP endpoint took
	jaeger    ended            // whether it answers
	delivered ended
}

// checkSpans checks the collector and Jaeger, with a span of the doctor's own.
func (p *parts) checkSpans(ctx context.Context, w *walk) spanOutcomes {
	c := p.config
	noMetrics := missing("--collector-metrics", c.CollectorMetrics != "")
	look(ctx, w, check{name: "collector", absent: missing("--collector", c.Collector != ""), within: oneAnswer}, p.collectorHealthy)
	before := look(ctx, w, check{name: "collector-metrics", absent: noMetrics, within: oneAnswer}, p.collectorMetrics)
	taken := look(ctx, w, check{name: "otlp", absent: p.noOTLP(), within: 2 * oneAnswer * time.Duration(max(1, len(c.OTLP)))}, p.otlpTakesSpans)
	answers := look(ctx, w, check{name: "jaeger", absent: p.noJaeger(), within: 2 * oneAnswer}, p.jaegerAnswers)
	exported := look(ctx, w, check{name: "collector-export", needs: []ended{before.ended, taken.ended, answers.ended}, absent: cmp.Or(p.noOTLP(), noMetrics), within: exportWithin},
		func(ctx context.Context) (nothing, string, error) { return p.collectorExports(ctx, before.found) })
	delivered := look(ctx, w, check{name: "otlp-to-jaeger", needs: []ended{taken.ended, answers.ended, exported.ended}, absent: cmp.Or(p.noOTLP(), p.noJaeger()), within: deliveryWithin},
		func(ctx context.Context) (nothing, string, error) { return p.delivered(ctx, taken.found) })
	return spanOutcomes{taken, answers.ended, delivered.ended}
}

// checkOrders places an order of each form and follows it to its end.
func (p *parts) checkOrders(ctx context.Context, w *walk, flow flowOutcomes, taken outcome[*placed]) map[services.Form]outcome[*placed] {
	outcomes := map[services.Form]outcome[*placed]{}
	for _, form := range probedForms(p.config.flow()) {
		c := check{name: "order-" + string(form), needs: []ended{flow.services}, within: orderWithin}
		if needsKafka(p.config.flow(), form) {
			c.needs, c.absent = append(c.needs, flow.lag), p.noKafka()
		}
		outcomes[form] = look(ctx, w, c, func(ctx context.Context) (*placed, string, error) {
			return p.order(ctx, form, taken.passed(), flow.topics.passed())
		})
	}
	return outcomes
}

// checkTraces looks for the orders' traces in Jaeger.
func (p *parts) checkTraces(ctx context.Context, w *walk, spans spanOutcomes, orders map[services.Form]outcome[*placed]) map[services.Form]ended {
	outcomes := map[services.Form]ended{}
	var before []ended // a service whose spans do not arrive would fail every form: reporting it once is enough
	forms := probedForms(p.config.flow())
	if form := p.config.rabbitForm(); form != "" {
		forms = append(forms, form)
	}
	for _, form := range forms {
		order := orders[form]
		c := check{name: "trace-" + string(form), needs: append([]ended{spans.delivered, order.ended}, before...), absent: cmp.Or(p.noOTLP(), p.noJaeger()), within: traceWithin}
		if needsKafka(p.config.flow(), form) {
			c.absent = cmp.Or(c.absent, p.noKafka())
		}
		outcomes[form] = look(ctx, w, c, func(ctx context.Context) (nothing, string, error) { return p.trace(ctx, order.found) }).ended
		before = []ended{outcomes[form]}
	}
	return outcomes
}

// checkMetrics looks for the orders in Prometheus. Spans are counted without Jaeger's help, so the check needs no trace; only a trace that is
// not whole skips it, as it would find the same reason again.
func (p *parts) checkMetrics(ctx context.Context, w *walk, prometheus ended, spans spanOutcomes, orders map[services.Form]outcome[*placed], traces map[services.Form]ended, before counts) {
	noSpans := cmp.Or(p.noPrometheus(), p.noOTLP())
	first := probedForms(p.config.flow())[0]
	rest := orders[first].ended
	targets := look(ctx, w, check{name: "prometheus-targets", needs: []ended{prometheus}, absent: p.noPrometheus(), within: targetsWithin},
		func(ctx context.Context) (nothing, string, error) { return p.targetsUp(ctx, spans.jaeger) })
	look(ctx, w, check{name: "prometheus-metrics", needs: []ended{targets.ended, rest}, absent: p.noPrometheus(), within: scrapeWithin},
		func(ctx context.Context) (nothing, string, error) { return p.metricsArrive(ctx, before) })
	counted := look(ctx, w, check{name: "prometheus-spans", needs: []ended{targets.ended, spans.taken.ended, rest}, unless: []ended{traces[first]}, absent: noSpans, within: scrapeWithin},
		func(ctx context.Context) (nothing, string, error) { return p.spanMetricsArrive(ctx, before) })
	look(ctx, w, check{name: "prometheus-exemplars", needs: []ended{counted.ended}, absent: noSpans, within: scrapeWithin},
		func(ctx context.Context) (nothing, string, error) { return p.exemplarsArrive(ctx, p.completed(orders)) })
}

// completed lists the orders that were placed and came to their end.
func (p *parts) completed(orders map[services.Form]outcome[*placed]) []*placed {
	var list []*placed
	for _, form := range probedForms(p.config.flow()) {
		if orders[form].passed() {
			list = append(list, orders[form].found)
		}
	}
	return list
}

func (p *parts) noKafka() string      { return missing("--kafka", len(p.config.Kafka) > 0) }
func (p *parts) noOTLP() string       { return missing("--otlp", len(p.config.OTLP) > 0) }
func (p *parts) noJaeger() string     { return missing("--jaeger", p.config.Jaeger != "") }
func (p *parts) noPrometheus() string { return missing("--prometheus", p.config.Prometheus != "") }

// missing returns why a check is left out, or "" when the address is there.
func missing(flag string, there bool) string {
	if there {
		return ""
	}
	return "no address: name one with " + flag
}
