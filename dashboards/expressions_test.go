package dashboards

import (
	"slices"
	"strings"
	"testing"
)

func TestExpressionsAreWhatGrafanaSends(t *testing.T) {
	d, err := parse("latency.json", []byte(`{
		"templating": {"list": [
			{"name": "datasource", "type": "datasource", "query": "prometheus"},
			{"name": "service", "type": "query", "query": "label_values(calls_total, service_name)", "includeAll": true, "allValue": ".+"}]},
		"panels": [
			{"title": "Calls", "targets": [{"refId": "A", "expr": "rate(calls_total{service_name=~\"$service\"}[$__rate_interval])"}]},
			{"title": "More", "type": "row", "panels": [{"title": "Inside", "targets": [{"refId": "B", "expr": "calls_total offset $__range unless x{s=~\"${service}\"}"}]}]},
			{"title": "Graph", "targets": [{"refId": "A", "queryType": "dependencyGraph"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range d.expressions() {
		got = append(got, e.String())
	}
	want := []string{
		`dashboards/latency.json, variable service: group by (service_name) (calls_total) unless group (calls_total)`,
		`dashboards/latency.json, panel "Calls" query A: rate(calls_total{service_name=~".+"}[20s])`,
		`dashboards/latency.json, panel "Inside" query B: calls_total offset 3600s unless x{s=~".+"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestThresholdsAreTakenOff(t *testing.T) {
	for _, c := range []struct {
		expr string
		want []string // nil: an error
	}{
		{"up == 0", []string{"up"}},
		{"a / b > 0.05\nand\nsum(rate(c[2m])) >= 10\n", []string{"a / b", "sum(rate(c[2m]))"}},
		{"(\nrare\nor\n0 * b\n) > 0", []string{"(\nrare\nor\n0 * b\n)"}},
		{`rate(a{error_type!=""}[2m]) > 0`, []string{`rate(a{error_type!=""}[2m])`}},
		{"absent(up)", nil},
		{"a > 1\nand\nb", nil},
	} {
		got, err := alertValues(c.expr)
		if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v, want %q", c.expr, got, err, c.want)
		}
	}
}

func TestFallbacksHideNothing(t *testing.T) {
	got := withoutFallback("sum(\n(\nrare_total\nor\n0 * b\n)\n) / (\nother\n  or\n0 * b\n)")
	if want := []string{"rare_total", "other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryPanelIsAskedAbout counts the queries in the files as text, so that no part of the model hides some from Expressions.
func TestEveryPanelIsAskedAbout(t *testing.T) {
	inText := 0
	for _, data := range files(t) {
		inText += strings.Count(string(data), `"expr": "`)
	}
	found, err := Expressions("..")
	if err != nil {
		t.Fatal(err)
	}
	queries, alerts := 0, 0
	for _, e := range found {
		switch whole := !strings.HasSuffix(e.Place, "without its fallback"); {
		case whole && strings.HasPrefix(e.Place, "panel "):
			queries++
		case whole && strings.HasPrefix(e.Place, "alert "):
			alerts++
		}
		if strings.HasPrefix(e.File, "dashboards/") && variable.MatchString(e.Expr) {
			t.Errorf("a variable is left in %s", e)
		}
	}
	if queries != inText || queries == 0 || alerts == 0 {
		t.Errorf("%d queries of panels and %d of alerts, want the %d that the files have, and some", queries, alerts, inText)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	if _, err := Expressions(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no dashboards") {
		t.Errorf("an empty folder: %v", err)
	}
}
