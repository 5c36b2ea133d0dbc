package dashboards

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// Expression is a PromQL expression and where it stands.
type Expression struct {
	File  string // dashboards/latency.json, prometheus/rules.yaml
	Place string // panel "…" query A, variable form, alert SpansDropped, record …
	Expr  string // as it is sent: with Grafana's variables replaced, and without an alert's threshold
	// Exemplars says that the panel shows exemplars of the buckets in the expression.
	Exemplars bool
	After     string // what must have happened before it can find anything; "" when orders of every form in a healthy stack are enough
}

// String says where the expression stands and what it is.
func (e Expression) String() string { return fmt.Sprintf("%s, %s: %s", e.File, e.Place, e.Expr) }

// Expressions returns every expression of the dashboards and of the rules below the module's root folder: of panels, of variables, of
// recording rules, and of alerts without their thresholds, since an alert that does not fire finds nothing.
//
// A part A with a fallback, in lines "(", A, "or", B, ")", is there once more on its own: the fallback would hide a misspelt A.
func Expressions(root string) ([]Expression, error) {
	all, err := Load(filepath.Join(root, "dashboards"))
	if err != nil {
		return nil, err
	}
	var found []Expression
	for _, d := range all {
		found = append(found, d.expressions()...)
	}
	rules, err := ruleExpressions(filepath.Join(root, "prometheus", "rules.yaml"))
	if err != nil {
		return nil, err
	}
	found = append(found, rules...)
	for _, e := range found {
		for _, part := range withoutFallback(e.Expr) {
			found = append(found, Expression{File: e.File, Place: e.Place + " without its fallback", Expr: part})
		}
	}
	for i := range found {
		found[i].After = after(found[i].Expr)
	}
	return found, nil
}

var fallback = regexp.MustCompile(`\n\s*or\n`)

// withoutFallback returns every A of lines "(", A, "or", B, ")".
func withoutFallback(expr string) []string {
	var parts []string
	for _, or := range fallback.FindAllStringIndex(expr, -1) {
		if open := strings.LastIndex(expr[:or[0]], "(\n"); open >= 0 {
			parts = append(parts, strings.TrimSpace(expr[open+1:or[0]]))
		}
	}
	return parts
}

// What an expression may wait for.
const (
	AfterFailure  = "an order that failed"                    // a step (run --fault payment:error=…) and an answer of the gateway (run --fault orders:error=…)
	AfterAlert    = "an alert that fires"                     // any
	AfterSampling = "a collector that samples"                // COLLECTOR_SAMPLING=tail-sampling
	AfterDelivery = "a flow with retries, a batch and a view" // besides: a breaker, a timeout, workers, dead letters and an outbox
	AfterWatch    = "a watcher that judges a stream"          // tracelab watch
	AfterOutage   = "a collector that cannot hand spans on"   // a final answer from what should be Jaeger, or a queue that is full
)

var delivery = regexp.MustCompile(`tracelab_(call|breaker|workers|outbox|view)_|\[\.\]dlq|DEADLINE_EXCEEDED|error_type="504"|"timeout\|cancelled"`)

var outage = regexp.MustCompile(`otelcol_exporter_(send|enqueue)_failed_spans\{`)

var watch = regexp.MustCompile(`tracelab_(journey|watch)_`)

// after returns what an expression waits for, by the metrics in it; "" when it finds something in a healthy stack.
func after(expr string) string {
	switch {
	case watch.MatchString(expr):
		return AfterWatch
	case fallback.MatchString(expr):
		return ""
	case strings.Contains(expr, "ALERTS{"):
		return AfterAlert
	case strings.Contains(expr, "tail_sampling"):
		return AfterSampling
	case outage.MatchString(expr):
		return AfterOutage
	case delivery.MatchString(expr):
		return AfterDelivery
	case strings.Contains(expr, "STATUS_CODE_ERROR"):
		return AfterFailure
	}
	return ""
}

func (d Dashboard) expressions() []Expression {
	var found []Expression
	add := func(place, expr string, exemplars bool) {
		found = append(found, Expression{File: "dashboards/" + d.File, Place: place, Expr: d.interpolate(expr), Exemplars: exemplars})
	}
	for _, v := range d.Templating.List {
		if metric, ok := v.metric(); ok {
			add("variable "+v.Name, metric, false)
		}
	}
	for _, p := range d.panels() {
		for _, t := range p.Targets {
			if t.Expr != "" {
				add(fmt.Sprintf("panel %q query %s", p.Title, t.RefID), t.Expr, t.Exemplar)
			}
		}
	}
	return found
}

// panels returns the panels, those inside rows included.
func (d Dashboard) panels() []Panel {
	var all []Panel
	for _, p := range d.Panels {
		all = append(all, p)
		all = append(all, p.Panels...)
	}
	return all
}

var labelValues = regexp.MustCompile(`^label_values\((.+),\s*(\w+)\)$`)

// metric returns what a variable of the kind label_values(METRIC, label) looks for: a series of the metric that has the label.
func (v Variable) metric() (string, bool) {
	m := labelValues.FindStringSubmatch(v.Query)
	if m == nil {
		return "", false
	}
	return fmt.Sprintf(`group by (%s) (%s) unless group (%s)`, m[2], m[1], m[1]), true
}

// The built-in variables, as Grafana fills them for an hour on a screen of usual width with a data source whose timeInterval is 5 s.
// $__rate_interval is at least four times that. Longer names come first: the replacer takes the first that fits.
var builtIn = strings.NewReplacer(
	"$__rate_interval_ms", "20000", "${__rate_interval_ms}", "20000",
	"$__rate_interval", "20s", "${__rate_interval}", "20s",
	"$__interval", "5s", "${__interval}", "5s",
	"$__range", "3600s", "${__range}", "3600s",
)

// interpolate replaces the variables as Grafana does when every variable stands at All.
func (d Dashboard) interpolate(expr string) string {
	expr = builtIn.Replace(expr)
	for _, v := range d.Templating.List {
		expr = strings.NewReplacer("${"+v.Name+"}", v.AllValue, "$"+v.Name, v.AllValue).Replace(expr)
	}
	return expr
}

// rules is a Prometheus rule file.
type rules struct {
	Groups []struct {
		Rules []struct{ Record, Alert, Expr string }
	}
}

func ruleExpressions(file string) ([]Expression, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r rules
	if err := yaml.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("rules %s: %w", file, err)
	}
	var found []Expression
	for _, group := range r.Groups {
		for _, rule := range group.Rules {
			if rule.Record != "" {
				found = append(found, Expression{File: "prometheus/rules.yaml", Place: "record " + rule.Record, Expr: rule.Expr})
				continue
			}
			values, err := alertValues(rule.Expr)
			if err != nil {
				return nil, fmt.Errorf("rules %s: alert %s: %w", file, rule.Alert, err)
			}
			for _, value := range values {
				found = append(found, Expression{File: "prometheus/rules.yaml", Place: "alert " + rule.Alert, Expr: value})
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("rules %s: no rules in it", file)
	}
	return found, nil
}

var threshold = regexp.MustCompile(`(?s)^(.+?)\s(?:==|!=|>=|<=|>|<)\s[0-9.]+$`)

// alertValues returns an alert's expression without its thresholds. An alert is one condition VALUE OPERATOR NUMBER, or several with a
// line between them that has only "and" (and what it matches on); so values and thresholds can be told apart without a parser.
func alertValues(expr string) ([]string, error) {
	var values []string
	for _, condition := range regexp.MustCompile(`\n\s*and(?: on ?\([^)]*\))?\s*\n`).Split(strings.TrimSpace(expr), -1) {
		m := threshold.FindStringSubmatch(strings.TrimSpace(condition))
		if m == nil {
			return nil, fmt.Errorf("%q is not of the form VALUE OPERATOR NUMBER", condition)
		}
		values = append(values, m[1])
	}
	return values, nil
}
