package doctor

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// exports is what a collector's metrics say of the spans that it got and exported.
type exports struct {
	collector         bool // these are a collector's own metrics
	accepted, refused float64
	exporters         map[string]exporter
	answers           map[exportAnswer]float64 // how many exports of spans ended with each
}

// exportAnswer is a gRPC status code that an export ended with.
type exportAnswer struct {
	address string // "" for a connection that was never made
	code    string
}

// exporter has the numbers of spans of one exporter.
type exporter struct{ sent, failed, unplaced, queued, capacity float64 }

// refusals lists the answers that are not OK.
func (x exports) refusals() []exportAnswer {
	var refused []exportAnswer
	for answer := range x.answers {
		if answer.code != "OK" {
			refused = append(refused, answer)
		}
	}
	slices.SortFunc(refused, func(a, b exportAnswer) int { return strings.Compare(a.code+a.address, b.code+b.address) })
	return refused
}

func (x exports) names() []string { return slices.Sorted(maps.Keys(x.exporters)) }

// exports reads the collector's own metrics.
func (p *parts) exports(ctx context.Context) (exports, error) {
	body, err := get(ctx, p.http, withPath(p.config.CollectorMetrics, "/metrics"))
	if err != nil {
		return exports{}, err
	}
	return readExports(body)
}

// readExports reads, from metrics in Prometheus's text format, the few series that tell what became of spans. A counter that
// is still 0 has no series.
func readExports(text []byte) (exports, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return exports{}, fmt.Errorf("no metric there is a collector's own: %w", err)
	}
	x := exports{exporters: map[string]exporter{}, answers: map[exportAnswer]float64{}}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			x.add(strings.TrimSuffix(name, "_total"), labels, valueOf(metric))
		}
	}
	return x, nil
}

// isCallDuration reports whether a metric is the histogram of call durations or, where the text gives no type, its count; with or without a
// unit in the name.
func isCallDuration(name string) bool {
	name = strings.TrimSuffix(name, "_count")
	return name == "rpc_client_call_duration" || name == "rpc_client_call_duration_seconds"
}

// valueOf returns the value of a series; for a histogram, the number of observations. The kinds that a series does not have are 0.
func valueOf(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue() + float64(m.GetHistogram().GetSampleCount())
}

func (x *exports) add(name string, labels map[string]string, value float64) {
	if strings.HasPrefix(name, "otelcol_") {
		x.collector = true
	}
	ofSpans := labels["data_type"] == "traces"
	carrier := x.exporters[labels["exporter"]]
	switch {
	case name == "otelcol_receiver_accepted_spans":
		x.accepted += value
		return
	case name == "otelcol_receiver_refused_spans":
		x.refused += value
		return
	case isCallDuration(name) && strings.HasSuffix(labels["rpc_method"], "TraceService/Export"):
		to := exportAnswer{code: labels["rpc_response_status_code"]}
		if labels["server_address"] != "" {
			to.address = net.JoinHostPort(labels["server_address"], labels["server_port"])
		}
		x.answers[to] += value
		return
	case name == "otelcol_exporter_sent_spans":
		carrier.sent += value
	case name == "otelcol_exporter_send_failed_spans":
		carrier.failed += value
	case name == "otelcol_exporter_enqueue_failed_spans":
		carrier.unplaced += value
	case name == "otelcol_exporter_queue_size" && ofSpans:
		carrier.queued += value
	case name == "otelcol_exporter_queue_capacity" && ofSpans:
		carrier.capacity += value
	default:
		return
	}
	x.exporters[labels["exporter"]] = carrier
}
