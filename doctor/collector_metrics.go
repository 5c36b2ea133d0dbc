package doctor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// exports is what a collector says of the spans that it got and passed on.
type exports struct {
	collector         bool // these are a collector's own metrics
	accepted, refused float64
	exporters         map[string]exporter
	answers           map[exportAnswer]float64 // how often each was given to an export of spans
}

// exportAnswer is a gRPC status code that an export ended with.
type exportAnswer struct {
	address string // "" of a connection that never came to be
	code    string
}

// exporter is one that carries spans.
type exporter struct{ sent, failed, unplaced, queued, capacity float64 }

// refusals lists the answers that are not OK.
func (x exports) refusals() []exportAnswer {
	var list []exportAnswer
	for answer := range x.answers {
		if answer.code != "OK" {
			list = append(list, answer)
		}
	}
	slices.SortFunc(list, func(a, b exportAnswer) int { return strings.Compare(a.code+a.address, b.code+b.address) })
	return list
}

func (x exports) names() []string { return slices.Sorted(maps.Keys(x.exporters)) }

// exports reads the collector's own metrics.
func (e *examination) exports(ctx context.Context) (exports, error) {
	body, err := get(ctx, e.http, withPath(e.config.CollectorMetrics, "/metrics"))
	if err != nil {
		return exports{}, err
	}
	return readExports(body)
}

// readExports takes from the text format of Prometheus the few series that tell what became of spans. A counter that has
// counted nothing yet is not there.
func readExports(text []byte) (exports, error) {
	x := exports{exporters: map[string]exporter{}, answers: map[exportAnswer]float64{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, longestAnswer)
	for lines.Scan() {
		if name, labels, value, ok := readSample(lines.Text()); ok {
			x.add(strings.TrimSuffix(name, "_total"), labels, value)
		}
	}
	if err := lines.Err(); err != nil {
		return x, fmt.Errorf("the collector's metrics cannot be read: %w", err)
	}
	return x, nil
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
	case name == "rpc_client_call_duration_count" && strings.HasSuffix(labels["rpc_method"], "TraceService/Export"):
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

// readSample reads one line of the text format: NAME{LABEL="VALUE",…} VALUE.
func readSample(line string) (name string, labels map[string]string, value float64, ok bool) {
	if line == "" || line[0] == '#' {
		return "", nil, 0, false
	}
	labels = map[string]string{}
	end, rest := strings.LastIndexByte(line, '}'), ""
	if brace := strings.IndexByte(line, '{'); brace >= 0 && end > brace {
		name, rest = line[:brace], line[end+1:]
		for pair := range strings.SplitSeq(line[brace+1:end], `",`) {
			key, text, _ := strings.Cut(pair, `="`)
			labels[key] = strings.TrimSuffix(text, `"`)
		}
	} else {
		name, rest, _ = strings.Cut(line, " ")
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", nil, 0, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	return name, labels, value, err == nil
}
