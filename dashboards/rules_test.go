package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// bundled are the panel types used here that come with Grafana itself; anything else would be a plug-in to fetch.
var bundled = []string{"row", "text", "stat", "timeseries", "heatmap", "bargauge", "table", "nodeGraph"}

// exported are keys that Grafana writes into a dashboard when a person saves it in the browser: they are of that instance or say nothing.
var exported = []string{"id", "version", "iteration", "gnetId", "__inputs", "__requires", "__elements", "pluginVersion", "annotations",

	"fiscalYearStartMonth", "liveNow", "weekStart", "style", "timepicker", "editable"}

// violations returns what a dashboard file does against the rules of this folder, one sentence each.
func violations(file string, data []byte) []string {
	d, err := parse(file, data)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	say := func(format string, args ...any) { found = append(found, file+": "+fmt.Sprintf(format, args...)) }
	dashboardViolations(d, data, say)
	variableViolations(d, say)
	layoutViolations(d, say)
	for _, name := range unknownVariables(d, data) {
		say("variable %s is used and does not exist", name)
	}
	for _, p := range d.panels() {
		panelViolations(d, p, func(format string, args ...any) {
			say("panel %d %q: %s", p.ID, p.Title, fmt.Sprintf(format, args...))
		})
	}
	return found
}

func dashboardViolations(d Dashboard, data []byte, say func(string, ...any)) {
	if want := "tracelab-" + strings.TrimSuffix(d.File, ".json"); d.UID != want {
		say("uid is %q, want %q: links and alerts lead to it", d.UID, want)
	}
	if d.Title == "" || len(d.Description) < 60 {
		say("no title, or no description that says what the dashboard is for")
	}
	if !slices.Contains(d.Tags, "tracelab") {
		say("tag tracelab is missing: the links between the dashboards go by it")
	}
	if d.SchemaVersion != 42 {
		say("schema version %d, want 42", d.SchemaVersion)
	}
	if !slices.ContainsFunc(d.Links, func(l Link) bool { return l.Type == "dashboards" && slices.Contains(l.Tags, "tracelab") }) {
		say("no link to the other dashboards")
	}
	if !slices.ContainsFunc(d.Links, func(l Link) bool { return l.Type == "link" && strings.HasPrefix(l.URL, "${jaeger_ui}") }) {
		say("no link to Jaeger")
	}
	if canonical := canonicalJSON(data); !bytes.Equal(canonical, data) {
		say("not written with sorted keys and two spaces, so that changes are hard to read")
	}
	var keys map[string]any
	if err := json.Unmarshal(data, &keys); err != nil {
		say("%v", err)
	}
	for _, key := range exported {
		if _, ok := keys[key]; ok {
			say("key %q is one that Grafana adds: leave it out", key)
		}
	}
}

func canonicalJSON(data []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil
	}
	return out.Bytes()
}

// all is what All stands for. Spans that belong to no form (polls, commits) have no label form and are meant, too; a series without
// service_name is the collector's or Jaeger's own HTTP and gRPC metric of the same name, and is not.
// Series of before a service told its flow have no label of it.
var all = map[string]string{"flow": ".*", "service": ".+", "form": ".*", "step": ".+", "topic": ".+", "root": ".+"}

// hidden is the value of hide of a variable that is not shown. It goes along with the links to the dashboards that use it.
const hidden = 2

// uses tells whether a query of a panel uses a variable.
func (d Dashboard) uses(name string) bool {
	return slices.ContainsFunc(d.panels(), func(p Panel) bool {
		return slices.ContainsFunc(p.Targets, func(t Target) bool {
			return slices.ContainsFunc(variable.FindAllStringSubmatch(t.Expr, -1), func(m []string) bool { return m[1] == name })
		})
	})
}

func variableViolations(d Dashboard, say func(string, ...any)) {
	byName := map[string]Variable{}
	for _, v := range d.Templating.List {
		byName[v.Name] = v
		if v.Label == "" || v.Description == "" {
			say("variable %s has no label or no description", v.Name)
		}
		if v.Type == "query" {
			if v.Datasource == nil || v.Datasource.UID != "${datasource}" {
				say("variable %s does not ask ${datasource}", v.Name)
			}
			if !v.IncludeAll || v.AllValue != all[v.Name] {
				say("variable %s: All is %q, want %q", v.Name, v.AllValue, all[v.Name])
			}
			if _, ok := v.metric(); !ok {
				say("variable %s is not label_values(METRIC, label)", v.Name)
			}
			if used := d.uses(v.Name); used != (v.Hide == 0) || !used && v.Hide != hidden {
				say("variable %s: used by a panel %v, hide %d, want 0 for one that is used and %d for others", v.Name, used, v.Hide, hidden)
			}
		}
	}
	for name, kind := range map[string]string{"datasource": "datasource", "flow": "query", "service": "query", "form": "query", "step": "query", "topic": "query", "jaeger_ui": "textbox"} {
		if byName[name].Type != kind {
			say("variable %s (%s) is missing", name, kind)
		}
	}
}

// layoutViolations finds panels that lie on each other or outside the 24 columns, and ids that two panels share.
func layoutViolations(d Dashboard, say func(string, ...any)) {
	type cell struct{ x, y int }
	taken, ids, titles := map[cell]string{}, map[int]bool{}, map[string]bool{}
	for _, p := range d.panels() {
		if p.ID == 0 || ids[p.ID] {
			say("panel %q: id %d is missing or used twice", p.Title, p.ID)
		}
		if titles[p.Title] {
			say("two panels are called %q", p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > 24 {
			say("panel %q: has no size or leaves the 24 columns", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[cell{x, y}]; ok && other != p.Title {
					say("panel %q lies on %q", p.Title, other)
					return
				}
				taken[cell{x, y}] = p.Title
			}
		}
	}
}

func isVariableSource(d Dashboard, source *Source, kind string) bool {
	return source != nil && source.Type == kind && slices.ContainsFunc(d.Templating.List, func(v Variable) bool {
		return v.Type == "datasource" && v.Query == kind && source.UID == "${"+v.Name+"}"
	})
}

var (
	fixedWindow = regexp.MustCompile(`\[\d[^\]]*\](?: offset \$__(?:rate_interval|range))?`)
	leMatcher   = regexp.MustCompile(`\ble\s*!?=\s*"`)
	reportWords = regexp.MustCompile(`(?i)^(completion|tail|response)\b|queue wait`)
	ratio       = regexp.MustCompile(`histogram_quantile\(|\n/ |\) / sum\b`)
	quantile    = regexp.MustCompile(`histogram_quantile\(`)
	quantileOf  = regexp.MustCompile(`histogram_quantile\(\s*[\d.]+,\s*sum by \(le\b`)
	reads       = regexp.MustCompile(`\{\{\w+\}\}|[A-Za-z]{3,}`)
	removed     = regexp.MustCompile(`\bholt_winters\(`)
	dotted      = regexp.MustCompile(`\b(rpc|http)_\w+\{[^}]*job="(collector|jaeger)"`)
	variable    = regexp.MustCompile(`\$\{?([A-Za-z_]\w*)`) // $1 is a part of label_replace's match
)

// counted is how a panel counts what a counter grew by in a window: between two samples, without rate's extrapolation, so that a figure is a
// number of events and a share is one of them divided by another. A series that was not there in the hour before counts from 0, one that
// has ended still counts, and one that fell back was reset.
func counted(series, window string) string {
	return fmt.Sprintf("(last_over_time(%[1]s[%[2]s]) - last_over_time(%[1]s[1h] offset %[2]s) >= 0 or "+
		"last_over_time(%[1]s[%[2]s]) unless last_over_time(%[1]s[1h] offset %[2]s) or increase(%[1]s[%[2]s]))", series, window)
}

var grows = regexp.MustCompile(`\b(?:i?rate|i?delta|increase)\(((?:\w+|\{)[^[]*)\[(\$\w+)\]`)

// birthViolations finds what counts in another way than counted.
func birthViolations(expr string, say func(string, ...any)) {
	for _, m := range grows.FindAllStringSubmatch(expr, -1) {
		if !strings.Contains(expr, counted(m[1], m[2])) {
			say("misses what a counter is born with, or extrapolates: write it as the others are, %s", counted("X", m[2]))
		}
	}
}

func targetViolations(p Panel, t Target, say func(string, ...any)) {
	if t.Expr == "" {
		say("no expression")
	}
	if p.Type != "table" && p.Type != "heatmap" && !reads.MatchString(t.LegendFormat) {
		say("legend %q is not for people", t.LegendFormat)
	}
	if slices.ContainsFunc(fixedWindow.FindAllString(t.Expr, -1), func(w string) bool { return !strings.HasPrefix(w, "[1h] offset $__") }) {
		say("a window of fixed length: $__rate_interval (or $__range) follows the zoom")
	}
	birthViolations(t.Expr, say)
	if ratio.MatchString(t.Expr) && !strings.HasSuffix(t.Expr, " >= 0") && !strings.HasSuffix(t.Expr, " > 0") {
		say("a share or quantile of nothing is NaN, and lines are drawn across it: end with >= 0, which finds nothing then")
	}
	if leMatcher.MatchString(t.Expr) {
		say(`le="1" of Prometheus 2 is le="1.0" in 3: match both with =~ or do without`)
	}
	if removed.MatchString(t.Expr) {
		say("a function that Prometheus 3 does not have any more")
	}
	if len(quantile.FindAllString(t.Expr, -1)) != len(quantileOf.FindAllString(t.Expr, -1)) {
		say("histogram_quantile wants sum by (le, …) of the buckets: quantiles of series cannot be added")
	}
	if dotted.MatchString(t.Expr) {
		say("in these pages Prometheus 3 finds names with dots (rpc.client.call.duration): use otelcol_… and jaeger_… only")
	}
	overTime := p.Type == "timeseries" || p.Type == "heatmap"
	if overTime && strings.Contains(t.Expr, "_bucket") && !t.Exemplar {
		say("shows a distribution over time without its exemplars")
	}
	if overTime == t.Instant {
		say("a %s asks for an instant: %v", p.Type, t.Instant)
	}
	if p.Type == "heatmap" && t.Format != "heatmap" || p.Type == "table" && t.Format != "table" {
		say("format %q is not that of a %s", t.Format, p.Type)
	}
}

// unknownVariables returns the variables that a file uses and does not have.
func unknownVariables(d Dashboard, data []byte) []string {
	known := []string{"__rate_interval", "__rate_interval_ms", "__range", "__from", "__to", "__value", "__all"}
	for _, v := range d.Templating.List {
		known = append(known, v.Name)
	}
	var unknown []string
	for _, m := range variable.FindAllSubmatch(data, -1) {
		if name := string(m[1]); !slices.Contains(known, name) && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
