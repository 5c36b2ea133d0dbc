package dashboards

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tracelab/internal/palette"
)

func panelViolations(d Dashboard, p Panel, say func(string, ...any)) {
	if p.Title == "" {
		say("no title")
	}
	if !slices.Contains(bundled, p.Type) {
		say("type %q does not come with Grafana (or with the list of this test)", p.Type)
	}
	if p.Type == "row" || p.Type == "text" {
		return
	}
	if !strings.Contains(p.Description, "Healthy: ") || !strings.Contains(p.Description, "Otherwise: ") {
		say("the description does not say what is healthy (Healthy: …) and what to do if not (Otherwise: …)")
	}
	if p.Type != "nodeGraph" && !hasUnit(p) {
		say("no unit")
	}
	if p.Type != "nodeGraph" && p.FieldConfig.Defaults.NoValue == "" {
		say("shows \"No data\" without a reason: give it a noValue")
	}
	kind := "prometheus"
	if p.Type == "nodeGraph" {
		kind = "jaeger"
	}
	if !isVariableSource(d, p.Datasource, kind) {
		say("the data source is not a template variable for %s", kind)
	}
	if len(p.Targets) == 0 {
		say("no query")
	}
	axisViolations(p, say)
	wordViolations(p, say)
	if p.Type == "timeseries" && p.Options.Legend.DisplayMode != "list" {
		say("a legend as %q: a table of more than three names must be scrolled", p.Options.Legend.DisplayMode)
	}
	formViolations(p, say)
	refs := map[string]bool{}
	for _, t := range p.Targets {
		if t.RefID == "" || refs[t.RefID] {
			say("query without a name, or a name twice: %q", t.RefID)
		}
		refs[t.RefID] = true
		if p.Type == "nodeGraph" {
			if t.QueryType != "dependencyGraph" {
				say("query %s is not a dependency graph", t.RefID)
			}
			continue
		}
		targetViolations(p, t, func(format string, args ...any) { say("query %s: %s", t.RefID, fmt.Sprintf(format, args...)) })
	}
}

// axisViolations holds shares to one axis, so that 2 % looks like 2 %, and everything that cannot be below 0 to an axis that begins there.
func axisViolations(p Panel, say func(string, ...any)) {
	d := p.FieldConfig.Defaults
	if p.Type == "timeseries" && d.Unit == "percentunit" && (d.Min == nil || *d.Min != 0 || d.Max == nil || *d.Max != 1) {
		say("a share without an axis from 0 to 1")
	}
	differs := slices.ContainsFunc(p.Targets, func(t Target) bool { return strings.Contains(t.Expr, "\n- on ") })
	if p.Type == "timeseries" && !differs && (d.Min == nil || *d.Min != 0) {
		say("an axis that does not begin at 0")
	}
}

// wordViolations keeps the words of a run's report for what the report measures. Of its measures only the caller wait can be had from metrics:
// the client's request spans.
func wordViolations(p Panel, say func(string, ...any)) {
	if !slices.ContainsFunc(p.Targets, func(t Target) bool { return !strings.Contains(t.Expr, "tracelab_journey_") }) {
		return // a watcher measures as the report does
	}
	if word := reportWords.FindString(p.Title); word != "" {
		say("%q is a measure of the report that begins and ends elsewhere: say from where to where", word)
	}
	for _, t := range p.Targets {
		if strings.HasPrefix(p.Title, "Caller wait") && strings.Count(t.Expr, "service_name=") != strings.Count(t.Expr, `{service_name="client", span_kind="SPAN_KIND_CLIENT"`) {
			say("a caller wait that is not of the client's request spans")
		}
	}
}

// formViolations holds panels that show forms to one color for each, bars to one order, and lines to widths that let all be seen.
func formViolations(p Panel, say func(string, ...any)) {
	if !slices.ContainsFunc(p.Targets, func(t Target) bool { return strings.Contains(t.LegendFormat, "{{tracelab_form}}") }) {
		return
	}
	for name, want := range palette.Forms() {
		if got := p.FieldConfig.fixedColor(formPattern(name)); got != want.Hex {
			say("%s is not %s but %q: the forms have one color each, see internal/palette", name, want.Hex, got)
		}
	}
	switch p.Type {
	case "bargauge":
		orderViolations(p, say)
	case "timeseries":
		widthViolations(p, say)
	}
}

// barOrder is the order of the forms in a run's report, which bars have, too.
var barOrder = []string{"rest", "grpc", "kafka", "hybrid"}

// orderViolations finds bars of forms that come in whatever order Prometheus gives them.
func orderViolations(p Panel, say func(string, ...any)) {
	at := -1.0
	for _, name := range barOrder {
		i, ok := p.position(name)
		if !ok || i <= at {
			say("the bars are not in the order of the report: %v", barOrder)
			return
		}
		at = i
	}
}

// position returns the place that a panel's transformations give to the field of a name.
func (p Panel) position(name string) (float64, bool) {
	for _, t := range p.Transformations {
		if i, ok := t.Options.IndexByName[name]; ok {
			return i, true
		}
	}
	return 0, false
}

// widthViolations finds lines of forms that cannot be told apart where they coincide. Prometheus gives a graph's series in the order of their
// names, and a later one is drawn over an earlier.
func widthViolations(p Panel, say func(string, ...any)) {
	above := math.Inf(1)
	for _, name := range slices.Sorted(slices.Values(barOrder)) {
		width, _ := p.FieldConfig.property(formPattern(name), "custom.lineWidth").(float64) // 0 without one
		if width < 1 || width > above-1 {
			say("the line of %s is %v wide: it hides, or is hidden by, another form with the same values", name, width)
		}
		above = width
	}
}

func formPattern(name string) string { return fmt.Sprintf("/^%s( |$)/", name) }

// fixedColor returns the color that the fields have whose names match a pattern, or "".
func (c FieldConfig) fixedColor(pattern string) string {
	value, _ := c.property(pattern, "color").(map[string]any) // a color of another kind is none of ours
	color, _ := value["fixedColor"].(string)
	return color
}

// property returns what an override says of the fields whose names match a pattern, or nil.
func (c FieldConfig) property(pattern, id string) any {
	for _, o := range c.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.ID == "byRegexp" && o.Matcher.Options == pattern && property.ID == id {
				return property.Value
			}
		}
	}
	return nil
}

func hasUnit(p Panel) bool {
	if p.FieldConfig.Defaults.Unit != "" || p.Options.YAxis.Unit != "" {
		return true
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "unit" {
				return true
			}
		}
	}
	return false
}
