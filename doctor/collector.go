package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tracelab/internal/poll"
)

// exportWithin is how long a span may take from the collector's receiver through its exporter: batches wait less than a
// second, and an attempt that nobody answers takes five.
const exportWithin = 10 * time.Second

// nearlyFull is the share of a queue's capacity that counts as nearly full.
const nearlyFull = 0.8

// collectorHealthy asks the collector for its health.
func (p *parts) collectorHealthy(ctx context.Context) (_ nothing, seen string, _ error) {
	address := withPath(p.config.Collector, healthPath)
	if _, err := get(ctx, p.http, address); err != nil {
		return nothing{}, "", brokenHop("start the collector, or name the URL of its health with --collector; its log names the component that is not well", "%s", err.Error())
	}
	return nothing{}, "healthy at " + p.config.Collector, nil
}

// collectorMetrics reads what the collector has done so far.
func (p *parts) collectorMetrics(ctx context.Context) (before exports, seen string, _ error) {
	const fix = "name the URL of the collector's own metrics with --collector-metrics (port 8888, not the one that it offers for the services), and let " +
		"service.telemetry.metrics of its configuration have a Prometheus reader there"
	before, err := p.exports(ctx)
	if err != nil {
		return before, "", brokenHop(fix, "%s", err.Error())
	}
	if !before.collector {
		return before, "", brokenHop(fix, "%s: no metric there is a collector's own", p.config.CollectorMetrics)
	}
	return before, fmt.Sprintf("%.0f spans accepted, %.0f refused so far", before.accepted, before.refused), nil
}

// collectorExports waits until the collector has exported what it got since its metrics were read. The metrics tell apart spans that wait
// for a retry, spans that were given up, and spans for which the queue had no room.
func (p *parts) collectorExports(ctx context.Context, before exports) (_ nothing, seen string, _ error) {
	var now exports
	err := until(ctx, func(ctx context.Context) error {
		var err error
		if now, err = p.exports(ctx); err != nil {
			return brokenHop("look at the collector's log", "%s", err.Error())
		}
		return exportTrouble(before, now)
	})
	if err != nil {
		return nothing{}, "", err
	}
	var words []string
	for _, name := range now.names() {
		x := now.exporters[name]
		words = append(words, fmt.Sprintf("%s has sent %.0f, %.0f of %.0f places of its queue are taken", name, x.sent, x.queued, x.capacity))
	}
	return nothing{}, strings.Join(words, "; "), nil
}

// exportTrouble returns what is wrong with the collector's exporters now, compared with before the first probe. It marks with poll.Stop what
// asking again cannot change.
func exportTrouble(before, now exports) error {
	if len(now.exporters) == 0 {
		return brokenHop("add an exporter to Jaeger to the traces pipeline of the collector's configuration", "no exporter of the collector has handled a span")
	}
	for _, name := range now.names() {
		was, is := before.exporters[name], now.exporters[name]
		state := fmt.Sprintf("%s: %.0f spans sent since the probe, %.0f of %.0f places of its queue are taken", name, is.sent-was.sent, is.queued, is.capacity)
		switch {
		case is.unplaced > was.unplaced:
			return poll.Stop(brokenHop("the queue is full: free space on the disk that holds COLLECTOR_QUEUE; if all its places are taken, check what the collector sends to",
				"%s; %.0f found no place", state, is.unplaced-was.unplaced))
		case is.failed > was.failed, is.sent <= was.sent && is.queued > 0:
			if is.failed > was.failed {
				state += fmt.Sprintf("; %.0f were given up", is.failed-was.failed)
			}
			seen, fix, certain := behindCollector(before, now)
			err := brokenHop(fix, "%s; %s", state, seen)
			if certain {
				return poll.Stop(err)
			}
			return err
		case is.sent <= was.sent:
			return brokenHop("check the processors of the traces pipeline: do they drop spans, or delay them (sampling)?", "%s: the collector accepted the span, but it did not reach the exporter", state)
		case is.capacity > 0 && is.queued >= nearlyFull*is.capacity:
			return brokenHop("Jaeger is slower than what arrives: check its storage, or place fewer orders", "%s: it is nearly full", state)
		}
	}
	return nil
}

// behindCollector says how the collector's exports are answered, what to do, and whether that is certain. Metrics name the
// address only of connections that were made; why one was not made is in the collector's log alone.
func behindCollector(before, now exports) (seen, fix string, certain bool) {
	const address = "let COLLECTOR_JAEGER name host and port where Jaeger takes OTLP over gRPC"
	for _, to := range now.refusals() {
		if now.answers[to] <= before.answers[to] {
			continue
		}
		where := "what it sends to"
		if to.address != "" {
			where = to.address
		}
		switch to.code {
		case "UNIMPLEMENTED":
			return where + " answers UNIMPLEMENTED: gRPC is spoken there, and OTLP is not taken", address + ", not the port of its query API; these spans are lost", true
		case "DEADLINE_EXCEEDED":
			return where + " does not answer in time (DEADLINE_EXCEEDED)", address + "; what listens there accepts connections and says nothing, or a firewall is between", true
		case "UNAVAILABLE":
			return "no connection to " + where + " comes to be (UNAVAILABLE)", address + ", and see in the collector's log why: nobody listens there, no host has that name, TLS is spoken on one side only, " +
				"or it is another port (HTTP); when Jaeger was away until now, the collector may take two minutes to try again", now.answers[to]-before.answers[to] >= 2
		}
		return where + " answers " + to.code, "look at the collector's log, which names the error", false
	}
	return "they wait and are tried again", address + ", and look at the collector's log, which names the error", false
}
