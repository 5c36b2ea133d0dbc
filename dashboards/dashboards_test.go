package dashboards

import (
	"os"
	"strings"
	"testing"
)

func files(t *testing.T) map[string][]byte {
	t.Helper()
	all, err := Load(".")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{}
	for _, d := range all {
		if texts[d.File], err = os.ReadFile(d.File); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

func TestDashboards(t *testing.T) {
	for file, data := range files(t) {
		for _, v := range violations(file, data) {
			t.Error(v)
		}
	}
}

func TestTheEightDashboardsAreThere(t *testing.T) {
	texts := files(t)
	for _, name := range []string{"latency", "errors", "queues", "delivery", "services", "forms", "telemetry", "journeys"} {
		if _, ok := texts[name+".json"]; !ok {
			t.Errorf("%s.json is missing", name)
		}
	}
}

// TestBrokenDashboardsAreFound breaks a real dashboard, each rule once.
func TestBrokenDashboardsAreFound(t *testing.T) {
	texts := files(t)
	for _, c := range []struct{ name, file, old, new, want string }{
		{"uid", "latency", `"tracelab-latency"`, `"abcdef"`, "uid is"},
		{"title", "latency", `"title": "tracelab: response times"`, `"title": ""`, "no title, or no description"},
		{"tags", "latency", "  \"tags\": [\n    \"latency\",\n    \"tracelab\"", "  \"tags\": [\n    \"latency\",\n    \"lab\"", "tag tracelab"},
		{"schema", "latency", `"schemaVersion": 42`, `"schemaVersion": 16`, "schema version 16"},
		{"dashboard links", "latency", `"type": "dashboards"`, `"type": "dashboard"`, "no link to the other dashboards"},
		{"jaeger links", "latency", `"${jaeger_ui}/`, `"http://jaeger/`, "no link to Jaeger"},
		{"order of keys", "latency", "{\n  \"description\"", "{\n  \"zzz\": 1,\n  \"description\"", "not written with sorted keys"},
		{"exported keys", "latency", "  \"graphTooltip\": 1", "  \"graphTooltip\": 1,\n  \"id\": 17", `key "id"`},
		{"no variable", "latency", `"name": "form"`, `"name": "shape"`, "variable form (query) is missing"},
		{"variable's source", "latency", "\"uid\": \"${datasource}\"\n        },\n        \"description\"", "\"uid\": \"prometheus\"\n        },\n        \"description\"", "does not ask ${datasource}"},
		{"All", "latency", `"allValue": ".+"`, `"allValue": ".*"`, `want ".+"`},
		{"variable's query", "latency", `label_values(traces_span_metrics_calls_total{tracelab_flow=~\"$flow\"}, service_name)`, `metrics(traces_.*)`, "is not label_values"},
		{"variable shown in vain", "telemetry", `"hide": 2`, `"hide": 0`, "variable flow: used by a panel false, hide 0"},
		{"variable hidden in use", "latency", "\"includeAll\": true,\n        \"label\": \"Step\"", "\"hide\": 2,\n        \"includeAll\": true,\n        \"label\": \"Step\"", "variable step: used by a panel true, hide 2"},
		{"variable's label", "latency", `"label": "Service"`, `"label": ""`, "no label or no description"},
		{"id twice", "latency", `"id": 2,`, `"id": 1,`, "used twice"},
		{"title twice", "latency", `"title": "Steps"`, `"title": "Records"`, `two panels are called "Records"`},
		{"too wide", "latency", `"w": 12`, `"w": 25`, "leaves the 24 columns"},
		{"overlap", "latency", `"x": 12`, `"x": 11`, "lies on"},
		{"plug-in", "latency", `"type": "heatmap"`, `"type": "grafana-polystat-panel"`, "does not come with Grafana"},
		{"description", "latency", `\n\nOtherwise: `, `\n\nElse: `, "does not say what is healthy"},
		{"reason", "latency", `"noValue": "no step in this time"`, `"noValue": ""`, "without a reason"},
		{"unit", "latency", `"unit": "short"`, `"unit": ""`, "no unit"},
		{"fixed source", "latency", "\"type\": \"prometheus\",\n        \"uid\": \"${datasource}\"\n      },\n      \"description\"", "\"type\": \"prometheus\",\n        \"uid\": \"PBFA97CFB\"\n      },\n      \"description\"", "not a template variable"},
		{"no query", "latency", `"expr": "histogram`, `"exp": "histogram`, "no expression"},
		{"query's name", "latency", `"refId": "B"`, `"refId": "A"`, "a name twice"},
		{"legend", "latency", `"legendFormat": "{{tracelab_step}}"`, `"legendFormat": ""`, "is not for people"},
		{"birth", "latency", `[1h] offset $__rate_interval`, `[1h] offset $__range`, "misses what a counter is born with"},
		{"extrapolation", "errors", ` or increase(`, ` or rate(`, "misses what a counter is born with"},
		{"color of a form", "forms", `"fixedColor": "#D55E00"`, `"fixedColor": "red"`, "kafka is not #D55E00"},
		{"order of bars", "forms", `"grpc": 2`, `"grpc": 5`, "not in the order of the report"},
		{"hidden lines", "forms", "\"id\": \"custom.lineWidth\",\n                \"value\": 4", "\"id\": \"custom.lineWidth\",\n                \"value\": 5", "hides, or is hidden by"},
		{"legend of forms", "forms", `"displayMode": "list"`, `"displayMode": "table"`, "scroll"},
		{"word of the report", "queues", `"title": "Delivery, median"`, `"title": "Queue wait, median"`, "begins and ends elsewhere"},
		{"caller wait of others", "forms", `{service_name=\"client\", span_kind`, `{service_name=\"gateway\", span_kind`, "not of the client's"},
		{"legend as a table", "telemetry", `"displayMode": "list"`, `"displayMode": "table"`, "scroll"},
		{"quantile of nothing", "latency", ` >= 0",`, `",`, "is NaN"},
		{"axis", "latency", `"min": 0`, `"min": 1`, "does not begin at 0"},
		{"percent axis", "errors", `"max": 1,`, `"max": 2,`, "from 0 to 1"},
		{"fixed window", "latency", `[$__rate_interval]`, `[5m]`, "window of fixed length"},
		{"le", "latency", `{service_name=\"gateway\", `, `{le=\"1\", `, "Prometheus 2"},
		{"quantile of series", "latency", `sum by (le, tracelab_step) (((last`, `avg by (le, tracelab_step) (((last`, "histogram_quantile wants"},
		{"no exemplars", "latency", `"exemplar": true,`, `"exemplar": false,`, "without its exemplars"},
		{"instant curve", "latency", `"range": true`, `"instant": true`, "asks for an instant"},
		{"heatmap format", "latency", `"format": "heatmap"`, `"format": "time_series"`, "is not that of a heatmap"},
		{"table format", "errors", `"format": "table"`, `"format": "heatmap"`, "is not that of a table"},
		{"removed function", "queues", `max by (messaging`, `holt_winters(messaging`, "does not have any more"},
		{"graph of another source", "services", `"uid": "${traces}"`, `"uid": "jaeger"`, "not a template variable for jaeger"},
		{"graph query", "services", `"dependencyGraph"`, `"search"`, "not a dependency graph"},
		{"unknown variable", "latency", `service_name=~\"$service\"`, `service_name=~\"$srvice\"`, "variable srvice"},
		{"names of Prometheus 3", "telemetry", `otelcol_exporter_sent_spans{job=\"collector\"}`, `rpc_client_call_duration_count{job=\"collector\"}`, "names with dots"},
		{"not JSON", "latency", `{`, `[`, "invalid character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := string(texts[c.file+".json"])
			broken := strings.Replace(text, c.old, c.new, 1)
			if c.name == "jaeger links" {
				broken = strings.ReplaceAll(text, c.old, c.new)
			}
			if broken == text {
				t.Fatalf("%q is not in %s.json any more", c.old, c.file)
			}
			if found := strings.Join(violations(c.file+".json", []byte(broken)), "\n"); !strings.Contains(found, c.want) {
				t.Errorf("found\n%s\nwant %q", found, c.want)
			}
		})
	}
}
