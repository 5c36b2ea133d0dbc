//go:build stack

package collector_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// series is one line of a metrics page.
type series struct {
	name     string
	labels   map[string]string
	value    float64
	exemplar string // its trace id; "" without
}

var (
	line  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*?)\})? (\S+)(?: # \{(.*)\} .*)?$`)
	label = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// page reads the metrics at an address, in OpenMetrics. Of the buckets, which are most of a page, it reads those with an exemplar.
func page(t testing.TB, address string) []series {
	t.Helper()
	var all []series
	for text := range strings.Lines(get(t, "http://"+address+"/metrics", "application/openmetrics-text;version=1.0.0")) {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "#") || strings.Contains(text, "_bucket{") && !strings.Contains(text, " # {") {
			continue
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("a line that is no series: %q", text)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		s := series{name: m[1], labels: labels(m[2]), value: value}
		s.exemplar = labels(m[4])["trace_id"]
		all = append(all, s)
	}
	return all
}

func labels(text string) map[string]string {
	found := map[string]string{}
	for _, m := range label.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// sum adds up the series of a name that have all the given labels (KEY, VALUE, …). None is 0: a counter that has not counted is not there.
func sum(all []series, name string, pairs ...string) (total float64) {
	for _, s := range all {
		if s.name != name && s.name != name+"_total" {
			continue
		}
		match := true
		for i := 0; i < len(pairs); i += 2 {
			match = match && s.labels[pairs[i]] == pairs[i+1]
		}
		if match {
			total += s.value
		}
	}
	return total
}

// spanSums are the Collector's own accounts of spans.
type spanSums struct{ accepted, refused, sent, failed, queued float64 }

func (c *collector) sums(t testing.TB) spanSums {
	t.Helper()
	all := page(t, c.metrics)
	return spanSums{
		accepted: sum(all, "otelcol_receiver_accepted_spans"), refused: sum(all, "otelcol_receiver_refused_spans"),
		sent: sum(all, "otelcol_exporter_sent_spans"), failed: sum(all, "otelcol_exporter_send_failed_spans"),
		queued: sum(all, "otelcol_exporter_queue_size"),
	}
}
